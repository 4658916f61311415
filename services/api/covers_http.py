"""Images over HTTP: `PUT` and `GET /covers/<sha256 of the content>`."""

import hashlib
import io
import re
import warnings

import asyncpg
from PIL import Image, UnidentifiedImageError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.api.guard import FOR_SERVICES, MAY_STORE
from services.api.store import covers

MOST_BYTES = 20_000_000
_KINDS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
_HASH = re.compile("[0-9a-f]{64}")
_BAD_ADDRESS = PlainTextResponse("the address is /covers/ and 64 hex digits", 400)
_YEAR_S = 31_536_000


def image_type(content: bytes) -> str | None:
    """The MIME type, by the first bytes; None for what is no image that browsers show."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), None)


def dimensions(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels out of the header; nothing is decoded. None: cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is told by a warning first
            with Image.open(io.BytesIO(content)) as image:
                return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning):
        return None


async def put_cover(request: Request) -> Response:
    """Store an image under its hash. 201; 400 where it is another's; 413 above 20 MB.

    403 where only the services may.
    """
    if not request.scope.get(MAY_STORE, True):
        return PlainTextResponse(f"an image is stored by {FOR_SERVICES}", 403)
    told = request.path_params["sha256"].lower()
    if not _HASH.fullmatch(told):
        return _BAD_ADDRESS
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            return PlainTextResponse(f"an image has at most {MOST_BYTES:,} bytes", 413)
    image = bytes(content)
    if hashlib.sha256(image).hexdigest() != told:
        return PlainTextResponse("the address must be the SHA-256 of the content", 400)
    kind = image_type(image)
    if kind is None:
        return PlainTextResponse("this is no JPEG, PNG, GIF, BMP or WebP image", 400)
    width, height = dimensions(image) or (None, None)
    pool: asyncpg.Pool = request.app.state.pool()
    await covers.store(
        pool, sha256=bytes.fromhex(told), mime_type=kind, content=image, width=width, height=height
    )
    return Response(status_code=201)


async def get_cover(request: Request) -> Response:
    """An image. What is under a hash never changes, so it may be kept for good."""
    told = request.path_params["sha256"].lower()
    if not _HASH.fullmatch(told):
        return _BAD_ADDRESS
    headers = {"etag": f'"{told}"', "cache-control": f"public, max-age={_YEAR_S}, immutable"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    pool: asyncpg.Pool = request.app.state.pool()
    found = await covers.content(pool, bytes.fromhex(told))
    if found is None:
        return PlainTextResponse("there is no such image", 404)
    # It came from a file of unknown origin: a browser must take it for nothing but an image.
    headers["x-content-type-options"] = "nosniff"
    return Response(found.content, media_type=found.mime_type, headers=headers)
