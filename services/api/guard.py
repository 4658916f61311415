"""Who may talk to the gateway: a token where one is set, loopback names where none is."""

import secrets
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.errors import InvalidInput
from shared.runtime.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OPEN = frozenset({"/healthz", "/readyz"})
_POLICY_VIOLATION = 1008


def check_settings(settings: Settings) -> None:
    """Refuse to listen beyond loopback without a token."""
    if settings.host not in _LOOPBACK and settings.token is None:
        raise InvalidInput(
            f"SONIQUEBAY_HOST is {settings.host}, which others can reach: set SONIQUEBAY_TOKEN to"
            " a secret that clients must present, or listen on 127.0.0.1"
        )


class Guard:
    """Middleware in front of the listening server (calls within the process pass it by).

    With a token, every request must present it: `Authorization: Bearer <token>`. Without one only
    loopback can be reached, and a web page in the same user's browser must not get in: the Host
    header must be a loopback name (against DNS rebinding), the Origin, if any, too.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._token = settings.token.get_secret_value() if settings.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal})
        else:
            status = 401 if self._token else 403
            await JSONResponse({"errors": [{"message": refusal}]}, status)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        if self._token is not None:
            told = _header(scope["headers"], b"authorization")
            if secrets.compare_digest(told.encode(), f"Bearer {self._token}".encode()):
                return None
            return "present the token: Authorization: Bearer <SONIQUEBAY_TOKEN>"
        host = _name(_header(scope["headers"], b"host"))
        origin = _header(scope["headers"], b"origin").partition("//")[2]
        if host not in _LOOPBACK or (origin and _name(origin) not in _LOOPBACK):
            return "only this machine may talk to a gateway without a token"
        return None


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def _name(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
