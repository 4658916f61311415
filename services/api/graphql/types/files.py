"""Files, for workers."""

import strawberry

from services.api.graphql.scalars import BigInts, Digests, Flags, Places, Texts


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


@strawberry.type(description="Columns of equal length, by path; for workers.")
class KnownStretches:
    """A portion of the known files, in stretches that follow each other."""

    ends: Texts = strawberry.field(description="The last path of each stretch.")
    counts: BigInts = strawberry.field(description="How many files it has.")
    digests: Texts = strawberry.field(
        description="SHA-256 of the paths, sizes, times and images of its files:"
        " shared/contracts/range_digests.py."
    )
    unknown_images: Places = strawberry.field(
        description="Which of its files, from 0, have no known digest of images; 0 stands for it."
    )
    end_cursor: str | None
