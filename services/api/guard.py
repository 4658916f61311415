"""Who may talk to the gateway: a token where one is set, loopback names where none is."""

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.errors import InvalidInput
from shared.runtime.settings import Settings

MUST_PRESENT_TOKEN = "soniquebay.must_present_token"  # noqa: S105 - a key of the ASGI scope
MAY_STORE = "soniquebay.may_store"
"""Key of the ASGI scope: whether the caller may do what is for the services. Absent: it may."""
FOR_SERVICES = "the services alone: present SONIQUEBAY_SERVICE_TOKEN"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_POLICY_VIOLATION = 1008


def _text(secret: SecretStr | None) -> str | None:
    """The token; an empty one protects nothing, so it is none."""
    return (secret.get_secret_value().strip() if secret else "") or None


def check_settings(settings: Settings) -> None:
    """Refuse to listen beyond loopback without a token."""
    if settings.host not in _LOOPBACK and _text(settings.token) is None:
        raise InvalidInput(
            f"SONIQUEBAY_HOST is {settings.host}, which others can reach: set SONIQUEBAY_TOKEN to"
            " a secret that clients must present, or listen on 127.0.0.1"
        )


def presents_token(told: object, settings: Settings) -> bool:
    """Whether `told` is `Bearer <token>`, with a person's token or the services'."""
    return _presents(told, settings.token) or _presents(told, settings.service_token)


def may_store(told: object, settings: Settings) -> bool:
    """Whether who presents `told` may do what is for the services."""
    return _text(settings.service_token) is None or _presents(told, settings.service_token)


def _presents(told: object, secret: SecretStr | None) -> bool:
    """In a time that does not depend on where it differs."""
    token = _text(secret)
    if token is None:
        return False
    wanted = f"Bearer {token}".encode()
    found = told if isinstance(told, bytes) else str(told).encode(errors="replace")
    return secrets.compare_digest(found, wanted)


class Guard:
    """Middleware in front of the listening server (calls within the process pass it by).

    With a person's token, every request must present it: `Authorization: Bearer <token>`. A
    websocket whose handshake has no such header (browsers cannot send one) is marked: it must
    present the token in its `connection_init`. Without one only loopback can be reached, and a
    web page in the same user's browser must not get in: the Host header must be a loopback name
    (against DNS rebinding), the Origin, if any, too.

    With the services' token, who presents it gets in from anywhere, and nobody else may store
    (`MAY_STORE`).
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
        told = _header(scope["headers"], b"authorization")
        marked = {**scope, MAY_STORE: may_store(told, settings)}
        if presents_token(told, settings):
            await self._app(marked, receive, send)
        elif _text(settings.token) is not None:
            if scope["type"] == "websocket" and not told:
                await self._app({**marked, MUST_PRESENT_TOKEN: True}, receive, send)
            else:
                message = "present the token: Authorization: Bearer <SONIQUEBAY_TOKEN>"
                await _refuse(scope, receive, send, status=401, message=message)
        elif _is_local(scope["headers"]):
            await self._app(marked, receive, send)
        else:
            message = "only this machine may talk to a gateway without a token"
            await _refuse(scope, receive, send, status=403, message=message)


async def _refuse(scope: Scope, receive: Receive, send: Send, *, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": message})
        return
    error = {"message": message, "extensions": {"code": "FORBIDDEN"}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    await JSONResponse({"errors": [error]}, status, headers=headers)(scope, receive, send)


def _is_local(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    told = list(headers)
    host = "//" + _header(told, b"host").decode("latin-1")
    origin = _header(told, b"origin").decode("latin-1")
    return _name(host) in _LOOPBACK and (not origin or _name(origin) in _LOOPBACK)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _name(url: str) -> str | None:
    """The host of a URL, without its port; None where there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
