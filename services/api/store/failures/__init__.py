"""Failures: records that a stage gave up, kept to be shown and published again.

One for each stage and subject (a track, a file, a scan): a repeated failure is the same one, open
again. It is resolved by success at the stage, a new content of the file, or the file's end.

The way: `dead_letters` makes rows of dead letters, `write` stores them, `queries` reads them and
takes them for a replay, `resolve` ends them.
"""
