"""Files, for workers."""

import strawberry

from services.api.graphql.scalars import BigInts, Digests, Flags, Texts


@strawberry.type(description="Columns of equal length, by path; for workers.")
class KnownFiles:
    """A portion of the known files."""

    paths: Texts
    sizes_bytes: BigInts
    mtimes_ns: BigInts
    images_digests: Digests = strawberry.field(
        description="Of the images beside each file, as `createTracks` was told."
    )
    missing: Flags
    end_cursor: str | None
