"""A service: its subscriptions, what must be open while it runs, and how it is asked to stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shared.bus.port import Bus, DeadLetterHandler, Subscription
from shared.contracts.topics import Stage

_ENDED_BY_SIGINT = 130  # as shells report it: 128 and the number of the signal


@asynccontextmanager
async def nothing_to_open() -> AsyncIterator[None]:
    """Do nothing: the lifespan of a service that has nothing to open."""
    yield


async def no_trouble() -> str:
    """Report nothing: the readiness of a service that needs only the bus and the gateway."""
    return ""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, composed. Composing opens nothing; the lifespan does.

    Attributes:
        name: the name of its folder.
        subscriptions: which topics go to which handlers.
        lifespan: opens pools, files and worker processes, and closes them at its end.
        running: entered while the bus runs, when all services of the process have subscribed.
        trouble: returns what the service lacks now, apart from the bus, in words; empty when
            nothing. `/readyz` asks, so it must answer within a few seconds.
        dead_letters: the handler of dead letters, in the one service that stores failures.
    """

    name: str
    subscriptions: Sequence[Subscription[Any]]
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nothing_to_open
    running: Callable[[], AbstractAsyncContextManager[None]] = nothing_to_open
    trouble: Callable[[], Awaitable[str]] = no_trouble
    dead_letters: tuple[Stage, DeadLetterHandler] | None = None

    def subscribe(self, bus: Bus) -> None:
        """Subscribe the service's handlers to the bus."""
        for subscription in self.subscriptions:
            bus.subscribe(subscription)
        if self.dead_letters is not None:
            bus.subscribe_dead_letters(*self.dead_letters)


def stop_signals() -> asyncio.Future[None]:
    """Return a future that is done at the first SIGINT or SIGTERM.

    A second signal ends the process at once.
    """
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if stopped.done():
            os._exit(_ENDED_BY_SIGINT)
        stopped.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return stopped
