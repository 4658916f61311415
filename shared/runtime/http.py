"""HTTP servers within a process, and the probes of a standalone service."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.contracts.errors import PipelineError

_STOP_TIMEOUT_S = 5

Probe = Callable[[], Awaitable[str]]
"""Returns what keeps the service from working, in words; empty when nothing does."""


class CannotListen(PipelineError):
    """The address or port is not available; the message says which settings to change."""


@contextmanager
def listening(host: str, port: int, settings: tuple[str, str]) -> Iterator[socket.socket]:
    """Listen, so that clients that connect wait until they are served.

    Args:
        host: a name or an address.
        port: 0 takes a free one.
        settings: the names of the two settings, for the message.

    Raises:
        CannotListen: the address or port is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is given, since asyncio sets TCP_NODELAY only where it is. Without, a small
    # response waits some 40 ms for the client to acknowledge the headers.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise _cannot_listen(host, port, settings, error) from error
        listener.setblocking(False)
        yield listener


def _cannot_listen(host: str, port: int, settings: tuple[str, str], error: OSError) -> CannotListen:
    host_setting, port_setting = settings
    if error.errno == errno.EADDRINUSE:
        return CannotListen(f"port {port} is in use: choose another one with {port_setting}")
    return CannotListen(
        f"cannot listen on {host}, port {port} ({error.strerror}): choose others with"
        f" {host_setting} and {port_setting}"
    )


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process has its own. See docs/fragile.md."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@asynccontextmanager
async def serving(
    app: Any, listener: socket.socket, *, name: str, most_message_bytes: int | None = None
) -> AsyncIterator[str]:
    """Serve an ASGI app while the block runs, and yield its base URL with the actual port.

    Args:
        app: the app.
        listener: accepts the connections.
        name: the name of the task.
        most_message_bytes: the most bytes of a websocket's message. None accepts no websockets:
            only the api has the library installed.
    """
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False,
        lifespan="off", timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        ws="none" if most_message_bytes is None else "websockets-sansio",
        ws_max_size=most_message_bytes or 0,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name=name)
    address = listener.getsockname()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if task.done():
            await task
        yield f"http://{host}:{address[1]}"
    finally:
        server.should_exit = True
        await task


def health_app(*, alive: Probe, ready: Probe, description: Callable[[], str]) -> Starlette:
    """Return the app that answers the probes of a standalone service.

    `/healthz`: 200 while the process works; otherwise it should be restarted.
    `/readyz`: 200 when it has everything that it needs.
    `/metrics`: for Prometheus. `/asyncapi`: the topics it consumes, as AsyncAPI 3 in JSON.
    """

    def endpoint(probe: Probe, well: str) -> Callable[[Request], Awaitable[Response]]:
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
            Route("/healthz", endpoint(alive, "alive")),
            Route("/readyz", endpoint(ready, "ready")),
            Route("/metrics", metrics),
            Route("/asyncapi", asyncapi),
        ]
    )
