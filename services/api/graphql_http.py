"""GraphQL over HTTP: `POST /graphql`, as https://graphql.github.io/graphql-over-http/draft/ says.

A GET shows GraphiQL and never runs a query, since any link or image on a web page can send one.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import strawberry
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.http.ides import get_graphql_ide_html
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from services.api.graphql.context import Context
from services.api.request_body import TooLarge, read_body
from services.api.store.database.pool import DATABASE_DOWN, DatabaseNotOpen

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
MOST_BYTES = 2_000_000
MOST_BYTES_TO_STORE = 32_000_000
"""Of a service's request: it sends up to 1,000 tracks with 2 million characters of lyrics."""
_OPERATIONS = (OperationType.QUERY, OperationType.MUTATION)
_NO_SUBSCRIPTIONS = (
    "a subscription needs a websocket: connect to /graphql with the subprotocol"
    " graphql-transport-ws"
)
_SCRIPTS = "https://unpkg.com"  # where strawberry's page takes GraphiQL from, each file with a hash


class _Body(msgspec.Struct):
    """The parameters of a request, as GraphQL over HTTP names them."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 - the specification's name
    extensions: dict[str, Any] | None = None


class _BadRequest(Exception):
    """The request is not one of GraphQL: it is answered with this status and message."""

    def __init__(self, status: int, message: str, **extensions: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "extensions": {"code": "BAD_INPUT"} | extensions}


class GraphQLEndpoint:
    """The ASGI app of `/graphql`.

    Args:
        schema: executes the operations.
        make_context: makes the context of a request; raises `DatabaseNotOpen`.
    """

    def __init__(
        self, schema: strawberry.Schema, make_context: Callable[[Request], Context]
    ) -> None:
        self._schema = schema
        self._make_context = make_context
        self._page = _graphiql()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        media_type = negotiated(request.headers.get("accept", ""))
        try:
            response = await self._answer(request, media_type)
        except _BadRequest as bad:
            response = _response({"errors": [bad.error]}, media_type, bad.status)
            if bad.status == 405:
                response.headers["allow"] = "GET, POST"
        except (*DATABASE_DOWN, DatabaseNotOpen) as down:
            message = f"the database does not answer: {down}"
            error = {"message": message, "extensions": {"code": "UNAVAILABLE"}}
            response = _response({"errors": [error]}, media_type, 503)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str) -> Response:
        if request.method == "GET" and "query" not in request.query_params:
            if "persistedQuery" in request.query_params.get("extensions", ""):
                raise _not_persisted()
            accept = request.headers.get("accept", "*/*")
            if "text/html" in accept or "*/*" in accept:
                return self._page
        if request.method != "POST":
            raise _BadRequest(405, "send operations by POST; GET shows GraphiQL in a browser")
        context = self._make_context(request)
        body = await _read(request, MOST_BYTES_TO_STORE if context.may_store else MOST_BYTES)
        result = await self._execute(body, context)
        errors = result.errors or []
        # A request error has no path, and its answer no `data` (GraphQL specification, 7.1).
        is_refused = result.data is None and bool(errors) and not any(e.path for e in errors)
        answer: dict[str, object] = {} if is_refused else {"data": result.data}
        if errors:
            answer["errors"] = [error.formatted for error in errors]
        return _response(answer, media_type, 400 if is_refused and media_type != JSON else 200)

    async def _execute(self, body: _Body, context: Context) -> ExecutionResult:
        try:
            return await self._schema.execute(
                body.query,
                body.variables,
                context_value=context,
                operation_name=body.operationName,
                allowed_operation_types=_OPERATIONS,
            )
        except InvalidOperationTypeError:
            message = _NO_SUBSCRIPTIONS
        except CannotGetOperationTypeError as unknown:
            message = f"operationName: {unknown.as_http_error_reason()}"
        error = GraphQLError(message, extensions={"code": "BAD_INPUT"})
        return ExecutionResult(data=None, errors=[error])


def negotiated(accept: str) -> str:
    """The media type of the answer: the one that the header prefers, else `application/json`.

    Clients that do not name `application/graphql-response+json` get the media type that they have
    always got, as GraphQL over HTTP advises.
    """
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        q = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        try:
            weights[name] = float(q)
        except ValueError:
            weights[name] = 0
    wanted = weights.get(GRAPHQL_RESPONSE, 0)
    return GRAPHQL_RESPONSE if wanted > 0 and wanted >= weights.get(JSON, 0) else JSON


async def _read(request: Request, most_bytes: int) -> _Body:
    content_type = request.headers.get("content-type", "").lower()
    name, *parameters = (piece.strip() for piece in content_type.split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if "charset=" in p]
    if name != JSON or charsets not in ([], ["utf-8"], ["utf8"]):
        raise _BadRequest(400, "send the request as JSON in UTF-8: content-type: application/json")
    try:
        content = await read_body(request, most_bytes)
    except TooLarge:
        raise _BadRequest(413, f"a request has at most {most_bytes:,} bytes") from None
    return _decoded(content)


def _decoded(content: bytes) -> _Body:
    try:
        body = msgspec.json.decode(content, type=_Body)
    except msgspec.ValidationError as error:
        if content.lstrip()[:1] == b"[":
            raise _BadRequest(400, "send one operation a request, not a list of them") from None
        raise _BadRequest(400, f"the request is not as GraphQL over HTTP says: {error}") from None
    except RecursionError:
        raise _BadRequest(400, "the request's JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _BadRequest(400, f"the request is not valid JSON: {error}") from None
    if not body.query:
        if "persistedQuery" in (body.extensions or {}):
            raise _not_persisted()
        raise _BadRequest(400, "query: send the text of the operation")
    return body


def _not_persisted() -> _BadRequest:
    """What Apollo's persisted-query link waits for: it then sends whole texts."""
    return _BadRequest(200, "PersistedQueryNotSupported", code="PERSISTED_QUERY_NOT_SUPPORTED")


def _response(answer: object, media_type: str, status: int) -> Response:
    return Response(
        msgspec.json.encode(answer),
        status,
        media_type=f"{media_type}; charset=utf-8" if media_type != JSON else JSON,
    )


def _graphiql() -> Response:
    """GraphiQL, whose page may run its own scripts only."""
    page = get_graphql_ide_html(graphql_ide="graphiql")
    inline: Sequence[str] = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inline)
    scripts = " ".join(f"'sha256-{each}'" for each in hashes)
    policy = (
        f"default-src 'none'; script-src {scripts} {_SCRIPTS};"
        f" style-src 'unsafe-inline' {_SCRIPTS};"
        " img-src 'self' data:; font-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(page, headers={"content-security-policy": policy})
