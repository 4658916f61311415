"""Albums: one for each place and owner (`services.api.identity`), as their tracks say.

The way of a batch of `createAlbums`: `validate`, then `upsert`, which matches the stored albums and
keeps what is said of them as claims (`claims`). Once the tracks that refer to claims are written,
`refresh` decides the albums' fields by all claims.
"""
