"""An HTTP server as a part of a process."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from shared.contracts.errors import PipelineError

_STOP_TIMEOUT_S = 5


class CannotListen(PipelineError):
    """The address or port cannot be had; the message says what to change."""


@contextmanager
def listening(host: str, port: int, settings: tuple[str, str]) -> Iterator[socket.socket]:
    """A socket that listens: who connects waits until it is served.

    Args:
        host: name or address.
        port: 0 takes a free one.
        settings: what the two are called, for the message.

    Raises:
        CannotListen: the address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Told to be TCP's, for asyncio lets small answers out at once only where it is told so: else
    # each waits some 40 ms for the client's word that it had the headers.
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
    """Uvicorn as a part of a process that has its own idea of signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    app: Any, listener: socket.socket, *, name: str, websockets: bool = False
) -> AsyncIterator[str]:
    """Serve an ASGI app while the block runs; gives its base URL, with the port that was taken.

    Args:
        app: to be served.
        listener: takes the connections.
        name: of the task.
        websockets: whether it takes them too; only the api is installed with the library.
    """
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False,
        lifespan="off", timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        ws="websockets-sansio" if websockets else "none",
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name=name)
    address = listener.getsockname()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.01)
        if task.done():
            await task
        yield f"http://{host}:{address[1]}"
    finally:
        server.should_exit = True
        await task
