"""Albums: one for each place and owner (`services.api.identity`), as their tracks say.

The way of a batch of `createAlbums`: `validate`, `match`, `upsert`, which keeps what is said of the
albums as claims (`claims`). Once the tracks that refer to claims are written, `decide` makes the
album's fields of all claims, and `refresh` writes them.
"""
