"""The gateway over HTTP: the ASGI app, and the server that listens."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from services.api.covers_http import get_cover, put_cover
from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.guard import Guard, check_settings
from shared.contracts.errors import PipelineError
from shared.runtime.settings import Settings

_STOP_TIMEOUT_S = 5


class CannotListen(PipelineError):
    """The address or port cannot be had; the message says what to change."""


class _Gateway(GraphQL[Context, None]):
    """GraphQL with a fresh context, hence fresh loaders, a request."""

    def __init__(self, make_context: Callable[[], Context]) -> None:
        super().__init__(
            build_schema(),
            graphql_ide="graphiql",
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        )
        self._make_context = make_context

    async def get_context(self, request: Any, response: Any) -> Context:
        return self._make_context()


def build_app(make_context: Callable[[], Context]) -> Starlette:
    """The app. `make_context` raises `RuntimeError` until the database is there."""

    def pool() -> asyncpg.Pool:
        return make_context().pool

    async def readyz(_request: Request) -> Response:
        try:
            await pool().fetchval("SELECT 1")
        except (RuntimeError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return PlainTextResponse(f"the database does not answer: {error}", 503)
        health = make_context().bus.health()
        return PlainTextResponse("ready" if health.connected else "the bus is not connected",
                                 200 if health.connected else 503)  # fmt: skip

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
            Mount("/graphql", gateway),
        ],
    )
    app.state.pool = pool
    return app


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"port {settings.port} is in use: choose another one with SONIQUEBAY_PORT"
            ) from error
        raise CannotListen(f"cannot listen on {settings.host}: {error.strerror}") from error
    listener.listen(128)
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def listening(app: Starlette, settings: Settings) -> AsyncIterator[str]:
    """Serve the app, guarded; gives the gateway's base URL with the port that was taken.

    Raises:
        InvalidInput: beyond loopback without a token.
        CannotListen: the address or port cannot be had.
    """
    check_settings(settings)
    listener = _listen(settings)
    config = uvicorn.Config(
        Guard(app, settings), log_level="warning", access_log=False, lifespan="off",
        timeout_graceful_shutdown=_STOP_TIMEOUT_S, ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    # `serve` would take over the signals; what it wraps does not.
    task = asyncio.create_task(server._serve(sockets=[listener]), name="gateway")
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
        listener.close()
