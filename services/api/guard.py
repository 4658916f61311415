"""Access control of the gateway: by token, or loopback only if no token is set; and by origin."""

import secrets
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.signed_addresses import AddressSigner
from shared.contracts.errors import InvalidInput
from shared.runtime.settings import LOOPBACK, Settings

MUST_PRESENT_TOKEN = "soniquebay.must_present_token"  # noqa: S105 - a key of the ASGI scope
MAY_STORE = "soniquebay.may_store"
"""Key of the ASGI scope: whether the caller may store, as services do. If absent, it may."""
FOR_SERVICES = "the services: send SONIQUEBAY_SERVICE_TOKEN as the bearer token"
_POLICY_VIOLATION = 1008
_PREFLIGHT_KEPT_S = 600


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
    """Whether the header is `Bearer <token>`, with the people's token or the services'.

    The scheme's name may have any case (RFC 9110, 11.1).
    """
    return _presents(header, settings.token) or _presents(header, settings.service_token)


def may_store(header: object, settings: Settings) -> bool:
    """Whether a caller with this header may store, as services do."""
    return _text(settings.service_token) is None or _presents(header, settings.service_token)


def _presents(header: object, secret: SecretStr | None) -> bool:
    """Compare in constant time, so that the time does not reveal where the token differs."""
    token = _text(secret)
    if token is None:
        return False
    text = header if isinstance(header, bytes) else str(header).encode(errors="replace")
    scheme, _, presented = text.partition(b" ")
    is_equal = secrets.compare_digest(presented.strip(b" "), token.encode())
    return is_equal and scheme.lower() == b"bearer"


def guard(app: ASGIApp, settings: Settings, signer: AddressSigner | None) -> ASGIApp:
    """The app of the listening server: guarded, and open to the pages of `SONIQUEBAY_ORIGINS`."""
    guarded = Guard(app, settings, signer)
    if not settings.origins:
        return guarded
    # Outside of the guard, since a browser asks without a token whether a page may send one.
    return CORSMiddleware(
        guarded,
        allow_origins=settings.origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],  # clients send headers of their own, such as Apollo's client name
        max_age=_PREFLIGHT_KEPT_S,
    )


class Guard:
    """ASGI middleware of the listening server; calls within the process do not pass it.

    If the people's token is set, every request must present it: `Authorization: Bearer <token>`.
    Browsers cannot send that header in a websocket's handshake; such a websocket is marked, and
    must present the token in its `connection_init`.

    A signed address of an image needs no token.

    If it is not set, the server listens on loopback only, and a web page in the same user's
    browser must not get in: the Host header (against DNS rebinding) must be a loopback name, and
    the Origin, if any, such a name or one of `SONIQUEBAY_ORIGINS`.

    A page that opens a websocket may read all answers. So its origin must be the gateway's own, or
    one of these, with a token and without.

    If the services' token is set, a caller that presents it gets in from anywhere, and no other
    may store (`MAY_STORE`).
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, signer: AddressSigner | None = None
    ) -> None:
        self._app = app
        self._settings = settings
        self._signer = signer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        settings = self._settings
        header = _header(scope["headers"], b"authorization")
        marked = {**scope, MAY_STORE: may_store(header, settings)}
        if scope["type"] == "websocket" and not _may_open(scope["headers"], settings.origins):
            message = "pages of other sites need SONIQUEBAY_ORIGINS to name their origin"
            await _refuse(scope, receive, send, status=403, message=message)
        elif presents_token(header, settings) or self._is_signed(scope):
            await self._app(marked, receive, send)
        elif _text(settings.token) is not None:
            if scope["type"] == "websocket" and not header:
                await self._app({**marked, MUST_PRESENT_TOKEN: True}, receive, send)
            else:
                message = "send the token: Authorization: Bearer <SONIQUEBAY_TOKEN>"
                await _refuse(scope, receive, send, status=401, message=message)
        elif _is_local(scope["headers"], settings.origins):
            await self._app(marked, receive, send)
        else:
            message = (
                "without SONIQUEBAY_TOKEN the gateway answers only requests whose Host and Origin"
                " are 127.0.0.1, localhost or ::1; SONIQUEBAY_ORIGINS names other pages"
            )
            await _refuse(scope, receive, send, status=403, message=message)

    def _is_signed(self, scope: Scope) -> bool:
        if (
            self._signer is None
            or scope["type"] != "http"
            or scope["method"] not in {"GET", "HEAD"}
        ):
            return False
        query = scope["query_string"].decode("latin-1")
        return scope["path"].startswith("/covers/") and self._signer.is_signed(scope["path"], query)


async def _refuse(scope: Scope, receive: Receive, send: Send, *, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": message})
        return
    error = {"message": message, "extensions": {"code": "FORBIDDEN"}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    await JSONResponse({"errors": [error]}, status, headers=headers)(scope, receive, send)


def _is_local(headers: Iterable[tuple[bytes, bytes]], origins: Collection[str]) -> bool:
    pairs = list(headers)
    host = "//" + _header(pairs, b"host").decode("latin-1")
    origin = _header(pairs, b"origin").decode("latin-1").lower()
    is_allowed = not origin or origin in origins or _host_name(origin) in LOOPBACK
    return _host_name(host) in LOOPBACK and is_allowed


def _may_open(headers: Iterable[tuple[bytes, bytes]], origins: Collection[str]) -> bool:
    """Whether a websocket's origin is the gateway's own or an allowed one; programs send none."""
    pairs = list(headers)
    origin = _header(pairs, b"origin").decode("latin-1").lower()
    host = _header(pairs, b"host").decode("latin-1").lower()
    is_own = origin in {f"http://{host}", f"https://{host}"}
    return not origin or is_own or origin in origins


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _host_name(url: str) -> str | None:
    """Return the host of a URL without its port; None if there is none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
