"""The gateway over HTTP, for workers in a process of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import httpx
import msgspec

from shared.contracts.errors import DependencyDown, InvalidInput, TransientError
from shared.gateway.client import (
    NO_TOKEN,
    GatewayRefused,
    Operation,
    camel_case,
    raise_errors,
)

# Not compressed: the services are near, and it would cost the gateway time.
_HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}

R = TypeVar("R")


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
    """The `Transport` over HTTP.

    Args:
        client: with the gateway's address as `base_url` and the token in its headers, where one is
            set; the caller closes it.
    """

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
            raise DependencyDown(NO_TOKEN)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"the gateway answered {response.status_code}")
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise InvalidInput("the gateway refuses this request as too large")
        if response.status_code >= httpx.codes.MULTIPLE_CHOICES:
            raise GatewayRefused(
                f"the gateway answered {response.status_code}: {response.text[:500]}"
            )
        return response
