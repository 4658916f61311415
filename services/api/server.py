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
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from services.api.covers_http import get_cover, post_covers, put_cover
from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.graphql_http import GraphQLEndpoint
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
_MOST_REASON_BYTES = 123
_LEAST_ZIPPED_BYTES = 64_000  # a page of 100 tracks is smaller: compressing it took 7% more time
_ZIP_LEVEL = 1


class _Websockets(GraphQL[Context, None]):
    """GraphQL over websockets, with the subprotocol graphql-transport-ws."""

    def __init__(
        self, schema: strawberry.Schema, make_context: Callable[[HTTPConnection], Context]
    ) -> None:
        super().__init__(schema, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
        self._make_context = make_context

    def decode_json(self, data: str | bytes) -> object:
        """Decode a message, and check its shape.

        Strawberry takes it for granted: a message that is null would end the connection with an
        internal error. Without a type a message closes it with 4400 instead.

        Raises:
            json.JSONDecodeError: it is no JSON, or nested too deeply.
        """
        try:
            message = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error
        return message if is_message(message) else {}

    def encode_json(self, data: object) -> str:
        """Encode an answer by msgspec, in a tenth of the time; as UTF-8, without escapes."""
        return msgspec.json.encode(data).decode()

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """The guard has decided that, for all versions of strawberry alike."""
        return True

    async def get_context(self, request: Any, response: Any) -> Context:
        return self._make_context(request)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        params = context.connection_params or {}
        header = params.get("authorization") or params.get("Authorization") or ""
        if context.must_present_token and not presents_token(header, context.settings):
            raise ConnectionRejectionError
        context.may_store = context.may_store or may_store(header, context.settings)
        return await super().on_ws_connect(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection. A reason to close it is cut: it has 123 bytes (RFC 6455, 5.5)."""

        async def send_shortened(message: Message) -> None:
            if message["type"] == "websocket.close" and message.get("reason"):
                reason = message["reason"].encode(errors="replace")[:_MOST_REASON_BYTES]
                message = {**message, "reason": reason.decode(errors="ignore")}
            await send(message)

        await super().__call__(scope, receive, send_shortened)


def is_message(message: object) -> bool:
    """Whether a message has the types that the protocol says."""
    if not isinstance(message, dict) or not isinstance(message.get("id", ""), str):
        return False
    if message.get("type") != "subscribe":
        return isinstance(message.get("type"), str)
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


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

    def context_of(connection: HTTPConnection) -> Context:
        context = make_context()
        context.may_store = bool(connection.scope.get(MAY_STORE, True))
        context.must_present_token = bool(connection.scope.get(MUST_PRESENT_TOKEN))
        return context

    schema = schema or build_schema()
    endpoint = GraphQLEndpoint(schema, context_of)
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/covers", post_covers, methods=["POST"]),
            Route("/covers/{sha256}", put_cover, methods=["PUT"]),
            Route("/covers/{sha256}", get_cover, methods=["GET"]),
            Route("/graphql", GZipMiddleware(endpoint, _LEAST_ZIPPED_BYTES, _ZIP_LEVEL)),
            WebSocketRoute("/graphql", _Websockets(schema, context_of)),
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
