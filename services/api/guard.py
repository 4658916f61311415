"""Access control of the gateway: by token, or loopback only if no token is set."""

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.errors import InvalidInput
from shared.runtime.settings import LOOPBACK, Settings

MUST_PRESENT_TOKEN = "soniquebay.must_present_token"  # noqa: S105 - a key of the ASGI scope
MAY_STORE = "soniquebay.may_store"
"""Key of the ASGI scope: whether the caller may store, as services do. If absent, it may."""
FOR_SERVICES = "the services: send SONIQUEBAY_SERVICE_TOKEN as the bearer token"
_POLICY_VIOLATION = 1008


def _text(secret: SecretStr | None) -> str | None:
    """Return the token; None for an empty one, which would protect nothing."""
    return (secret.get_secret_value().strip() if secret else "") or None


def check_settings(settings: Settings) -> None:
    """Refuse to listen beyond loopback without a token."""
    if not settings.is_local and _text(settings.token) is None:
        raise InvalidInput(
            f"SONIQUEBAY_HOST is {settings.host}, which others can reach: set SONIQUEBAY_TOKEN to"
            " a secret that clients must present, or listen on 127.0.0.1"
        )


def presents_token(header: object, settings: Settings) -> bool:
    """Whether the header is `Bearer <token>`, with the people's token or the services'."""
    return _presents(header, settings.token) or _presents(header, settings.service_token)


def may_store(header: object, settings: Settings) -> bool:
    """Whether a caller with this header may store, as services do."""
    return _text(settings.service_token) is None or _presents(header, settings.service_token)


def _presents(header: object, secret: SecretStr | None) -> bool:
    """Compare in constant time, so that the time does not reveal where the token differs."""
    token = _text(secret)
    if token is None:
        return False
    wanted = f"Bearer {token}".encode()
    presented = header if isinstance(header, bytes) else str(header).encode(errors="replace")
    return secrets.compare_digest(presented, wanted)


class Guard:
    """ASGI middleware of the listening server; calls within the process do not pass it.

    If the people's token is set, every request must present it: `Authorization: Bearer <token>`.
    Browsers cannot send that header in a websocket's handshake; such a websocket is marked, and
    must present the token in its `connection_init`.

    If it is not set, the server listens on loopback only, and a web page in the same user's
    browser must not get in: the Host header (against DNS rebinding) and the Origin, if any, must
    be loopback names.

    If the services' token is set, a caller that presents it gets in from anywhere, and no other
    may store (`MAY_STORE`).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        settings = self._settings
        header = _header(scope["headers"], b"authorization")
        marked = {**scope, MAY_STORE: may_store(header, settings)}
        if presents_token(header, settings):
            await self._app(marked, receive, send)
        elif _text(settings.token) is not None:
            if scope["type"] == "websocket" and not header:
                await self._app({**marked, MUST_PRESENT_TOKEN: True}, receive, send)
            else:
                message = "send the token: Authorization: Bearer <SONIQUEBAY_TOKEN>"
                await _refuse(scope, receive, send, status=401, message=message)
        elif _is_local(scope["headers"]):
            await self._app(marked, receive, send)
        else:
            message = (
                "without SONIQUEBAY_TOKEN the gateway answers only requests whose Host and Origin"
                " are 127.0.0.1, localhost or ::1"
            )
            await _refuse(scope, receive, send, status=403, message=message)


async def _refuse(scope: Scope, receive: Receive, send: Send, *, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": message})
        return
    error = {"message": message, "extensions": {"code": "FORBIDDEN"}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    await JSONResponse({"errors": [error]}, status, headers=headers)(scope, receive, send)


def _is_local(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    pairs = list(headers)
    host = "//" + _header(pairs, b"host").decode("latin-1")
    origin = _header(pairs, b"origin").decode("latin-1")
    return _host_name(host) in LOOPBACK and (not origin or _host_name(origin) in LOOPBACK)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _host_name(url: str) -> str | None:
    """Return the host of a URL without its port; None if there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
