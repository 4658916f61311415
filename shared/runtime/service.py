"""A service: its subscriptions, and what must be open while it runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shared.bus.port import Bus, DeadLetterHandler, Subscription
from shared.contracts.topics import Stage


@asynccontextmanager
async def nothing_to_open() -> AsyncIterator[None]:
    """The lifespan of a service that holds nothing open."""
    yield


async def no_trouble() -> str:
    """The readiness of a service that needs nothing beyond bus and gateway."""
    return ""


@dataclass(frozen=True, slots=True)
class Service:
    """What a service's `build` returns. Building opens nothing; the lifespan does.

    Attributes:
        name: as in the folder list.
        subscriptions: the table topic -> handler.
        lifespan: opens pools, files and worker processes, and closes them at its end.
        running: what goes on while the bus runs; entered when all of the process subscribed.
        trouble: what it needs beyond the bus and lacks now, in words; empty when nothing. For
            `/readyz`, so it answers within a few seconds.
        dead_letters: the handler of dead letters, for the one service that keeps failures.
    """

    name: str
    subscriptions: Sequence[Subscription[Any]]
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nothing_to_open
    running: Callable[[], AbstractAsyncContextManager[None]] = nothing_to_open
    trouble: Callable[[], Awaitable[str]] = no_trouble
    dead_letters: tuple[Stage, DeadLetterHandler] | None = None

    def subscribe(self, bus: Bus) -> None:
        """Put the service's handlers on the bus."""
        for subscription in self.subscriptions:
            bus.subscribe(subscription)
        if self.dead_letters is not None:
            bus.subscribe_dead_letters(*self.dead_letters)
