"""The music tagger musicnn: its trained weights, read and run with numpy alone.

A track: `patches` (eight times three seconds, as log-mel spectrograms) -> `network` (the forward
pass) -> `scores` (tags, genre, moods); `tagger` composes them into the contract's `Meaning`.

The weights, once a process: `models` (where they are installed) -> `checkpoint` (reads the file) ->
`weights` (removes dead filters). `models` defines what a model is, `msd` is one; another model is
another file like it.

`make_msd_reference` is a tool and not imported by the service: it derives `msd_reference`, the
table that scores are standardised by. The licence of the package is in NOTICE.
"""
