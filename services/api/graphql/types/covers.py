"""Images."""

from typing import Any

import strawberry

from services.api.graphql.scalars import BigInt


@strawberry.type
class Cover:
    """An image; its bytes are at `url` of the gateway."""

    sha256: str
    url: str
    mime_type: str
    width: int | None
    height: int | None
    size_bytes: BigInt


async def cover_of(info: strawberry.Info, *hashes: bytes | None) -> Cover | None:
    """The first of the images that is stored."""
    for sha256 in hashes:
        row: Any = sha256 and await info.context.loaders.covers.load(bytes(sha256))
        if row:
            told = bytes(row["sha256"]).hex()
            return Cover(
                sha256=told,
                url=f"/covers/{told}",
                mime_type=row["mime_type"],
                width=row["width"],
                height=row["height"],
                size_bytes=BigInt(row["size_bytes"]),
            )
    return None
