"""Files, for workers."""

import strawberry

from services.api.graphql.scalars import BigInt


@strawberry.type(description="Columns of equal length, by path; for workers.")
class KnownFiles:
    """A portion of the known files."""

    paths: list[str]
    sizes_bytes: list[BigInt]
    mtimes_ns: list[BigInt]
    images_digests: list[int | None] = strawberry.field(
        description="Of the images beside each file, as `createTracks` was told."
    )
    missing: list[bool]
    end_cursor: str | None
