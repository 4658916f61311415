"""What the gateway reads: lists a page at a time, and batches for its loaders.

`pages` is keyset paging; `track_lists`, `lists` and `artist_pages` are lists that use it. `lookups`
reads what belongs to many ids at once, `nearest` the nearest neighbours of vectors.
"""
