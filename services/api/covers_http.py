"""Images over HTTP: `PUT` and `GET /covers/<sha256 of the content>`, smaller ones with `?size=`."""

import asyncio
import hashlib
import re

import asyncpg
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.api.guard import FOR_SERVICES, MAY_STORE
from services.api.images import MOST_BYTES, SIZES, Unshowable, look_at, resized
from services.api.store import covers
from services.api.store.covers import CoverContent

_HASH = re.compile("[0-9a-f]{64}")
_BAD_ADDRESS = PlainTextResponse("the address is /covers/ and 64 hex digits", 400)
_YEAR_S = 31_536_000


async def put_cover(request: Request) -> Response:
    """Store an image under its hash. 201; 400 where it is another's or none; 413 above 20 MB.

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
    try:
        kind, width, height = look_at(image)
    except Unshowable as fault:
        return PlainTextResponse(str(fault), 400)
    pool: asyncpg.Pool = request.app.state.pool()
    await covers.store(
        pool, sha256=bytes.fromhex(told), mime_type=kind, content=image, width=width, height=height
    )
    return Response(status_code=201)


async def get_cover(request: Request) -> Response:
    """An image. What is under an address never changes, so it may be kept for good.

    `size`: one of `SIZES`; the image itself where it is no larger, or cannot be decoded.
    """
    told = request.path_params["sha256"].lower()
    if not _HASH.fullmatch(told):
        return _BAD_ADDRESS
    wanted = request.query_params.get("size")
    if wanted is not None and wanted not in map(str, SIZES):
        return PlainTextResponse(f"size is one of {', '.join(map(str, SIZES))}", 400)
    tag = f'"{told}-{wanted}"' if wanted else f'"{told}"'
    headers = {"etag": tag, "cache-control": f"public, max-age={_YEAR_S}, immutable"}
    if _has_it(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    pool: asyncpg.Pool = request.app.state.pool()
    sha256 = bytes.fromhex(told)
    decoding: asyncio.Semaphore = request.app.state.decoding
    found = await (
        _smaller(pool, decoding, sha256, int(wanted)) if wanted else covers.content(pool, sha256)
    )
    if found is None:
        return PlainTextResponse("there is no such image", 404)
    # It came from a file of unknown origin: a browser must take it for nothing but an image.
    headers["x-content-type-options"] = "nosniff"
    return Response(found.content, media_type=found.mime_type, headers=headers)


def _has_it(told: str, tag: str) -> bool:
    """Whether `If-None-Match` names this tag (RFC 9110, 13.1.2: compared weakly)."""
    return any(one.strip().removeprefix("W/") in {tag, "*"} for one in told.split(","))


async def _smaller(
    pool: asyncpg.Pool, decoding: asyncio.Semaphore, sha256: bytes, size: int
) -> CoverContent | None:
    if (known := await covers.smaller(pool, sha256, size)) is not None:
        return known
    async with decoding:
        if (known := await covers.smaller(pool, sha256, size)) is not None:
            return known
        whole = await covers.content(pool, sha256)
        if whole is None:
            return None
        try:
            kind, content = await asyncio.to_thread(resized, whole.content, size)
        except Unshowable:
            return whole
        await covers.keep_smaller(pool, sha256, size, CoverContent(kind, content))
        return CoverContent(kind, content)
