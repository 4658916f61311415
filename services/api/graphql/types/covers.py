"""Images."""

from typing import Annotated, Any

import strawberry

from services.api.graphql.errors import bad_input
from services.api.graphql.scalars import BigInt
from services.api.images import SIZES


@strawberry.type
class Cover:
    """An image; `url` is where the gateway serves it."""

    sha256: str
    mime_type: str
    width: int | None
    height: int | None
    size_bytes: BigInt

    @strawberry.field
    def url(
        self,
        info: strawberry.Info,
        size: Annotated[
            int | None,
            strawberry.argument(
                description="The most pixels of the longer side:"
                f" {', '.join(map(str, SIZES))}. Without it, the original image."
            ),
        ] = None,
    ) -> str:
        """Where the image is, below the gateway's address; signed where a token is needed."""
        if size is not None and size not in SIZES:
            raise bad_input(f"size: one of {', '.join(map(str, SIZES))}")
        path, signer = f"/covers/{self.sha256}", info.context.signer
        parameters = [] if size is None else [f"size={size}"]
        if signer is not None:
            parameters.append(signer.parameters(path))
        return f"{path}?{'&'.join(parameters)}" if parameters else path


async def cover_of(info: strawberry.Info, *hashes: bytes | None) -> Cover | None:
    """The first of the images that is stored; None if none is."""
    for sha256 in hashes:
        row: Any = sha256 and await info.context.loaders.covers.load(bytes(sha256))
        if row:
            return Cover(
                sha256=bytes(row["sha256"]).hex(),
                mime_type=row["mime_type"],
                width=row["width"],
                height=row["height"],
                size_bytes=BigInt(row["size_bytes"]),
            )
    return None
