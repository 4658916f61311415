"""The gateway, as the workers call it: typed GraphQL operations over a transport.

A worker's module here (`scans`, `extraction`, `analysis`, `vectorization`, `indexing`) declares its
operations and the types of what it sends and gets. Documents are `.graphql` files in `documents/`.
A test checks types and documents against the schema.

Errors are named by what the bus must do: `DependencyDown` waits for a gateway that does not answer
or refuses our token (a wrong setting must not turn work into failures),
`TransientError` tries again, and `GatewayRefused` is a bug of the caller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import httpx
import msgspec

from shared.contracts.errors import DependencyDown, InvalidInput, TransientError

_NO_TOKEN = "the gateway refuses this service: SONIQUEBAY_SERVICE_TOKEN must be the gateway's"  # noqa: S105 - a message
# Not compressed: the services are near, and it would cost the gateway time.
_HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}
_DOCUMENTS = Path(__file__).parent / "documents"

T = TypeVar("T")
R = TypeVar("R")


class GatewayRefused(Exception):
    """The gateway did not accept a document or its variables: the caller has a bug."""


@dataclass(frozen=True, eq=False)
class Operation(Generic[R]):
    """A GraphQL operation with one root field.

    Attributes:
        document: its text.
        result: the type of its root field.
        variables: the types of its variables, by their Python names.
    """

    document: str
    result: type[R]
    variables: Mapping[str, Any]


def operation(name: str, result: type[R], /, **variables: Any) -> Operation[R]:
    """The operation whose document is `documents/<name>.graphql`; arguments as `Operation`'s."""
    return Operation((_DOCUMENTS / f"{name}.graphql").read_text(), result, variables)


class Transport(Protocol):
    """How operations reach the gateway. Raises the errors of this module."""

    async def execute(
        self, operation: Operation[R], variables: Mapping[str, object]
    ) -> Mapping[str, R]:
        """Run an operation and return its `data`: the root fields by name."""
        ...

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """As `Gateway.post_covers`."""
        ...


class Gateway:
    """A client for the gateway.

    Args:
        transport: how it is reached. An HTTP client needs the gateway's address as `base_url` and
            the token in its headers, where one is set; the caller closes it.
    """

    def __init__(self, transport: Transport | httpx.AsyncClient) -> None:
        if isinstance(transport, httpx.AsyncClient):
            self._transport: Transport = HttpTransport(transport)
        else:
            self._transport = transport

    async def execute(self, operation: Operation[R], **variables: object) -> R:
        """Run an operation and return the value of its root field."""
        (value,) = (await self._transport.execute(operation, variables)).values()
        return value

    async def execute_document(
        self, document: str, variables: Mapping[str, object]
    ) -> Mapping[str, Any]:
        """Run any GraphQL document and return its `data` untyped; for the command line."""
        return await self._transport.execute(Operation(document, Any, {}), variables)

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """Store images under the SHA-256 of their bytes; for each None, or why it is refused."""
        return await self._transport.post_covers(images)


class _Request(msgspec.Struct):
    query: str
    variables: Mapping[str, object]


class _Error(msgspec.Struct):
    message: str
    extensions: Mapping[str, Any] = {}


class _Response(msgspec.Struct):
    data: Mapping[str, msgspec.Raw] | None = None
    errors: Sequence[_Error] = ()


class HttpTransport:
    """The transport over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def execute(
        self, operation: Operation[R], variables: Mapping[str, object]
    ) -> Mapping[str, R]:
        """Run an operation and return its `data`: the root fields by name."""
        by_name = {camel_case(name): value for name, value in variables.items()}
        content = msgspec.json.encode(_Request(operation.document, by_name))
        answer = await self._send("POST", "/graphql", content=content, headers=_HEADERS)
        response = msgspec.json.decode(answer.content, type=_Response)
        raise_errors((error.extensions.get("code"), error.message) for error in response.errors)
        return {
            name: msgspec.json.decode(value, type=operation.result)
            for name, value in (response.data or {}).items()
        }

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """As `Gateway.post_covers`."""
        files = [("image", ("image", image)) for image in images]
        response = await self._send("POST", "/covers", files=files)
        refusals: list[str | None] = response.json()
        return refusals

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = await self._client.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DependencyDown(f"the gateway is out of reach: {error}") from error
        except httpx.TransportError as error:
            raise TransientError(f"the connection to the gateway broke: {error!r}") from error
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise DependencyDown("the gateway is not ready")
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise DependencyDown(_NO_TOKEN)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"the gateway answered {response.status_code}")
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise InvalidInput("the gateway refuses this request as too large")
        if response.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise GatewayRefused(
                f"the gateway answered {response.status_code}: {response.text[:500]}"
            )
        return response


def raise_errors(errors: Iterable[tuple[str | None, str]]) -> None:
    """Raise the exception for the errors of a GraphQL response: pairs of code and message."""
    found = list(errors)
    if not found:
        return
    codes, messages = {code for code, _ in found}, "; ".join(message for _, message in found)
    if "UNAVAILABLE" in codes:
        raise DependencyDown(messages)
    if "FORBIDDEN" in codes:
        raise DependencyDown(f"{_NO_TOKEN} ({messages})")
    raise GatewayRefused(messages)


def camel_case(name: str) -> str:
    """GraphQL's name of a Python name."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def in_portions(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into portions of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
