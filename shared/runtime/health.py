"""What a service that runs alone tells those who keep it: alive, ready, metrics, AsyncAPI."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Probe = Callable[[], Awaitable[str]]
"""What keeps the service from its work, in words; empty when nothing does."""


def health_app(*, alive: Probe, ready: Probe, description: Callable[[], str]) -> Starlette:
    """The four addresses.

    `/healthz`: 200 while the process does its work; else it had better be started anew.
    `/readyz`: 200 when it has all that it needs.
    `/metrics`: for Prometheus. `/asyncapi`: which topics it consumes, as AsyncAPI 3 in JSON.
    """

    def answering(probe: Probe, well: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            trouble = await probe()
            return PlainTextResponse(trouble or well, 503 if trouble else 200)

        return answer

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def asyncapi(_request: Request) -> Response:
        return Response(description(), media_type="application/json")

    return Starlette(
        routes=[
            Route("/healthz", answering(alive, "alive")),
            Route("/readyz", answering(ready, "ready")),
            Route("/metrics", metrics),
            Route("/asyncapi", asyncapi),
        ]
    )
