"""Images over HTTP: `PUT` and `GET /covers/<sha256 of the content>`, smaller ones with `?size=`.

The services send many at a time: `POST /covers`, as `multipart/form-data`.
"""

import asyncio
import re
from email.parser import HeaderParser

import asyncpg
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from services.api.guard import FOR_SERVICES, MAY_STORE
from services.api.images import MOST_BYTES, SIZES, Unshowable, resized
from services.api.request_body import TooLarge, read_body
from services.api.store import covers
from services.api.store.covers import TOO_LARGE, CoverContent, checked_cover, store_images

_HASH = re.compile("[0-9a-f]{64}")
_BAD_ADDRESS = PlainTextResponse(
    "the address must be /covers/ and the 64 hex digits of a SHA-256", 400
)
_ONLY_SERVICES = PlainTextResponse(f"storing images is reserved for {FOR_SERVICES}", 403)
MOST_TOGETHER_BYTES = 2 * MOST_BYTES
_YEAR_S = 31_536_000


async def put_cover(request: Request) -> Response:
    """Store an image under its hash.

    201; 400 if it is not an image or has another hash; 413 above 20 MB; 403 if only services may.
    """
    if not request.scope.get(MAY_STORE, True):
        return _ONLY_SERVICES
    sha256 = request.path_params["sha256"].lower()
    if not _HASH.fullmatch(sha256):
        return _BAD_ADDRESS
    try:
        image = await read_body(request, MOST_BYTES)
    except TooLarge:
        return PlainTextResponse(TOO_LARGE, 413)
    cover = await asyncio.to_thread(checked_cover, image)
    if isinstance(cover, str):
        return PlainTextResponse(cover, 400)
    if cover.sha256.hex() != sha256:
        return PlainTextResponse("the address must be the SHA-256 of the content", 400)
    await covers.store_all(request.app.state.pool(), [cover])
    return Response(status_code=201)


async def post_covers(request: Request) -> Response:
    """Store many images, each a file of a `multipart/form-data` body of at most 40 MB.

    200 and a JSON list: for each image null, or why it was not stored. 400 if the body is not
    such a form; 413 if it is too large; 403 as above.
    """
    if not request.scope.get(MAY_STORE, True):
        return _ONLY_SERVICES
    try:
        body = await read_body(request, MOST_TOGETHER_BYTES)
    except TooLarge:
        return PlainTextResponse(f"at most {MOST_TOGETHER_BYTES:,} bytes at a time", 413)
    images = _parts(request.headers.get("content-type"), body)
    if images is None:
        return PlainTextResponse("send a whole multipart/form-data body, a file an image", 400)
    return JSONResponse(await store_images(request.app.state.pool(), images))


def _parts(content_type: str | None, body: bytes) -> list[bytes] | None:
    """Return the contents of a form's parts; None if it is not a form, or not a whole one.

    Starlette's `request.form()` is not used: it silently drops a part that is cut off, and writes
    larger parts to temporary files.
    """
    header = HeaderParser().parsestr(f"content-type: {content_type}")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        return None
    parts: list[list[bytes]] = []
    ends: list[bool] = []
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: parts.append([]),
                "on_part_data": lambda data, start, end: parts[-1].append(data[start:end]),
                "on_end": lambda: ends.append(True),
            },
        )
        parser.write(body)
    except FormParserError:
        return None
    return [b"".join(chunks) for chunks in parts] if ends else None


async def get_cover(request: Request) -> Response:
    """Return an image. The content of an address never changes, so clients may cache it forever.

    `size`: one of `SIZES`; the image itself if it is no larger, or cannot be decoded.
    """
    sha256 = request.path_params["sha256"].lower()
    if not _HASH.fullmatch(sha256):
        return _BAD_ADDRESS
    wanted = request.query_params.get("size")
    if wanted is not None and wanted not in map(str, SIZES):
        return PlainTextResponse(f"size is one of {', '.join(map(str, SIZES))}", 400)
    tag = f'"{sha256}-{wanted}"' if wanted else f'"{sha256}"'
    # A signed address is for one person: caches that many people share must not keep its answer.
    whose = "private" if "signature" in request.query_params else "public"
    headers = {"etag": tag, "cache-control": f"{whose}, max-age={_YEAR_S}, immutable"}
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    pool: asyncpg.Pool = request.app.state.pool()
    digest = bytes.fromhex(sha256)
    decoding: asyncio.Semaphore = request.app.state.decoding
    found = await (
        _smaller(pool, decoding, digest, int(wanted)) if wanted else covers.content(pool, digest)
    )
    if found is None:
        return PlainTextResponse("there is no such image", 404)
    # The image came from a file of unknown origin: a browser must not take it for HTML or a script.
    headers["x-content-type-options"] = "nosniff"
    headers["content-security-policy"] = "default-src 'none'; sandbox"
    return Response(found.content, media_type=found.mime_type, headers=headers)


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether the header names this tag (RFC 9110, 13.1.2: weak comparison)."""
    return any(one.strip().removeprefix("W/") in {tag, "*"} for one in if_none_match.split(","))


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
