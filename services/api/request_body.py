"""The body of a request, as far as it may be long."""

from starlette.requests import Request


class TooLarge(Exception):
    """The body has more bytes than it may: answer 413."""


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the body.

    Raises:
        TooLarge: it is larger, or says that it will be: then nothing of it is read.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise TooLarge
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most_bytes:
            raise TooLarge
    return bytes(content)
