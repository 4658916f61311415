"""The command line, `up` (all services in one process), and the demo library.

Reading order: `cli.py`, then `commands/` (a file for each subject), `tracks.py` (which track is
meant), `gateway.py` and `documents.py` (the queries), `output.py`, `tables.py` and `progress.py`
(what is printed). `up.py` starts all services; `demo/` renders the demo library, `dj_collections/`
reads the collections of DJ software.
"""
