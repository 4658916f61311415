"""The gateway over HTTP: the ASGI app, and the server that listens."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from services.api.availability import DATABASE_DOWN, DatabaseNotOpen
from services.api.covers_http import get_cover, put_cover
from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.guard import MUST_PRESENT_TOKEN, Guard, check_settings, presents_token
from shared.contracts.errors import PipelineError
from shared.runtime.settings import Settings

_STOP_TIMEOUT_S = 5
_DOWN = (*DATABASE_DOWN, DatabaseNotOpen)


class CannotListen(PipelineError):
    """The address or port cannot be had; the message says what to change."""


class _Gateway(GraphQL[Context, None]):
    """GraphQL over POST and websockets; a GET shows GraphiQL, so that no link or image queries."""

    def __init__(self, make_context: Callable[[], Context]) -> None:
        super().__init__(
            build_schema(),
            graphql_ide="graphiql",
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        )
        self._make_context = make_context

    async def get_context(self, request: Any, response: Any) -> Context:
        context = self._make_context()
        context.must_present_token = bool(request.scope.get(MUST_PRESENT_TOKEN))
        return context

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        if context.must_present_token:
            params = context.connection_params or {}
            told = params.get("authorization") or params.get("Authorization") or ""
            if not presents_token(told, context.settings):
                raise ConnectionRejectionError
        return await super().on_ws_connect(context)


def build_app(make_context: Callable[[], Context]) -> Starlette:
    """The app. `make_context` raises `DatabaseNotOpen` until the database is there."""

    def pool() -> asyncpg.Pool:
        return make_context().pool

    async def readyz(_request: Request) -> Response:
        await pool().fetchval("SELECT 1")
        if make_context().bus.health().connected:
            return PlainTextResponse("ready")
        return PlainTextResponse("the bus is not connected", 503)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive")

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphql")

    gateway = _Gateway(make_context)
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/covers/{sha256}", put_cover, methods=["PUT"]),
            Route("/covers/{sha256}", get_cover, methods=["GET"]),
            Route("/graphql", gateway),
            WebSocketRoute("/graphql", gateway),
        ],
        exception_handlers=dict.fromkeys(_DOWN, _unavailable),
    )
    app.state.pool = pool
    return app


def _unavailable(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"the database does not answer: {error}", 503)


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The socket that the gateway listens on: who connects waits until it is served.

    Raises:
        InvalidInput: beyond loopback without a token.
        CannotListen: the address or port cannot be had.
    """
    check_settings(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(128)
        except OSError as error:
            raise _cannot_listen(settings, error) from error
        listener.setblocking(False)
        yield listener


def _cannot_listen(settings: Settings, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return CannotListen(
            f"port {settings.port} is in use: choose another one with SONIQUEBAY_PORT"
        )
    where = f"{settings.host}, port {settings.port}"
    return CannotListen(
        f"cannot listen on {where} ({error.strerror}): choose others with SONIQUEBAY_HOST and"
        " SONIQUEBAY_PORT"
    )


class _Server(uvicorn.Server):
    """Uvicorn as a part of a process that has its own idea of signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    app: Starlette, listener: socket.socket, settings: Settings
) -> AsyncIterator[str]:
    """Serve the app, guarded; gives the gateway's base URL with the port that was taken."""
    config = uvicorn.Config(
        Guard(app, settings), log_config=None, log_level="warning", access_log=False,
        lifespan="off", timeout_graceful_shutdown=_STOP_TIMEOUT_S, ws="websockets-sansio",
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="gateway")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.01)
        if task.done():
            await task
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
