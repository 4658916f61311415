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

from shared.contracts.errors import DependencyDown

NO_TOKEN = "the gateway refuses this service: SONIQUEBAY_SERVICE_TOKEN must be the gateway's"  # noqa: S105 - a message
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
        transport: how it is reached.
    """

    def __init__(self, transport: Transport) -> None:
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


def raise_errors(errors: Iterable[tuple[str | None, str]]) -> None:
    """Raise the exception for the errors of a GraphQL response: pairs of code and message."""
    found = list(errors)
    if not found:
        return
    codes, messages = {code for code, _ in found}, "; ".join(message for _, message in found)
    if "UNAVAILABLE" in codes:
        raise DependencyDown(messages)
    if "FORBIDDEN" in codes:
        raise DependencyDown(f"{NO_TOKEN} ({messages})")
    raise GatewayRefused(messages)


def camel_case(name: str) -> str:
    """GraphQL's name of a Python name."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def in_portions(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into portions of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
