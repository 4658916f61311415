"""The gateway over HTTP: the ASGI app and its socket."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import asyncpg
import msgspec
import strawberry
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from services.api.covers_http import get_cover, post_covers, put_cover
from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.guard import (
    MAY_STORE,
    MUST_PRESENT_TOKEN,
    check_settings,
    may_store,
    presents_token,
)
from services.api.store.database.pool import DATABASE_DOWN, DatabaseNotOpen
from shared.runtime.http import listening
from shared.runtime.settings import Settings

_DOWN = (*DATABASE_DOWN, DatabaseNotOpen)


class _Gateway(GraphQL[Context, None]):
    """GraphQL over POST and websockets.

    A GET shows GraphiQL and never runs a query, since any link or image on a web page can send one.
    """

    def __init__(self, make_context: Callable[[], Context], schema: strawberry.Schema) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql",
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        )
        self._make_context = make_context

    def decode_json(self, data: str | bytes) -> object:
        """Decode a request by msgspec, in half the time: a batch of tracks has 400 kB.

        Raises:
            json.JSONDecodeError: it is no JSON, or nested too deeply. The client gets a 400.
        """
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    def encode_json(self, data: object) -> str:
        """Encode an answer by msgspec, in a tenth of the time; as UTF-8, without escapes."""
        return msgspec.json.encode(data).decode()

    async def get_context(self, request: Any, response: Any) -> Context:
        context = self._make_context()
        context.may_store = bool(request.scope.get(MAY_STORE, True))
        context.must_present_token = bool(request.scope.get(MUST_PRESENT_TOKEN))
        return context

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        params = context.connection_params or {}
        header = params.get("authorization") or params.get("Authorization") or ""
        if context.must_present_token and not presents_token(header, context.settings):
            raise ConnectionRejectionError
        context.may_store = context.may_store or may_store(header, context.settings)
        return await super().on_ws_connect(context)


def build_app(
    make_context: Callable[[], Context], schema: strawberry.Schema | None = None
) -> Starlette:
    """Return the app.

    Args:
        make_context: makes a request's context; raises `DatabaseNotOpen` until the pool is open.
        schema: the schema, if it is shared with other users.
    """

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

    gateway = _Gateway(make_context, schema or build_schema())
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/covers", post_covers, methods=["POST"]),
            Route("/covers/{sha256}", put_cover, methods=["PUT"]),
            Route("/covers/{sha256}", get_cover, methods=["GET"]),
            Route("/graphql", gateway),
            WebSocketRoute("/graphql", gateway),
        ],
        exception_handlers=dict.fromkeys(_DOWN, _unavailable),
    )
    app.state.pool = pool
    # One image at a time is decoded, since a large one takes much memory.
    app.state.decoding = asyncio.Semaphore(1)
    return app


def _unavailable(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"the database does not answer: {error}", 503)


def bound(settings: Settings) -> AbstractContextManager[socket.socket]:
    """Open the socket that the gateway listens on.

    Raises:
        InvalidInput: the address is not loopback, and no token is set.
        CannotListen: the address or port is not available.
    """
    check_settings(settings)
    return listening(settings.host, settings.port, ("SONIQUEBAY_HOST", "SONIQUEBAY_PORT"))
