"""The gateway, as the workers call it: GraphQL over a kept HTTP connection, or in its process.

Errors are named by what the bus must do: a gateway that does not answer is `DependencyDown`, an
overloaded one `TransientError`, a refused document a bug. A refused token is `DependencyDown` too:
nothing can be done until somebody mends the setting, and nothing must be given up for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import httpx

from shared.contracts.errors import DependencyDown, InvalidInput, TransientError

_NO_TOKEN = "the gateway refuses this service: SONIQUEBAY_SERVICE_TOKEN must be the gateway's"  # noqa: S105 - a message

T = TypeVar("T")
JSON = dict[str, Any]


class GatewayRefused(Exception):
    """The gateway did not accept a document or its variables: mend the caller."""


class Line(Protocol):
    """How requests get to the gateway. What it says or does not is told by the errors above."""

    async def ask(self, document: str, variables: Mapping[str, object]) -> JSON:
        """The whole answer to a GraphQL document: `data`, and `errors` where there are any."""
        ...

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """As `Gateway.post_covers`."""
        ...


class Gateway:
    """A client for the gateway.

    Args:
        line: how it is reached; of HTTP, a client with `base_url` and, where one is set, the
            token, which the caller closes.
    """

    def __init__(self, line: Line | httpx.AsyncClient) -> None:
        self._line = HttpxLine(line) if isinstance(line, httpx.AsyncClient) else line

    async def execute(self, document: str, variables: Mapping[str, object]) -> JSON:
        """Run a GraphQL document and return its `data`."""
        answer = await self._line.ask(document, variables)
        if answer.get("errors"):
            messages = "; ".join(error["message"] for error in answer["errors"])
            codes = {error.get("extensions", {}).get("code") for error in answer["errors"]}
            if "UNAVAILABLE" in codes:
                raise DependencyDown(messages)
            if "FORBIDDEN" in codes:
                raise DependencyDown(f"{_NO_TOKEN} ({messages})")
            raise GatewayRefused(messages)
        data: JSON = answer["data"]
        return data

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """Store images under the SHA-256 of their bytes; for each None, or why it is refused."""
        return await self._line.post_covers(images)


class HttpxLine:
    """The `Line` over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, document: str, variables: Mapping[str, object]) -> JSON:
        """The whole answer to a GraphQL document."""
        told = {"query": document, "variables": variables}
        answer: JSON = (await self._send("POST", "/graphql", json=told)).json()
        return answer

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """As `Gateway.post_covers`."""
        files = [("image", ("image", image)) for image in images]
        response = await self._send("POST", "/covers", files=files)
        refused: list[str | None] = response.json()
        return refused

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = await self._client.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DependencyDown(f"the gateway is out of reach: {error}") from error
        except httpx.TransportError as error:
            raise TransientError(f"the gateway broke off: {error!r}") from error
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise DependencyDown("the gateway says that it is not ready")
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise DependencyDown(_NO_TOKEN)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"the gateway answered {response.status_code}")
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise InvalidInput("the gateway says that this is too large")
        if response.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise GatewayRefused(
                f"the gateway answered {response.status_code}: {response.text[:500]}"
            )
        return response


def in_portions(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into portions of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
