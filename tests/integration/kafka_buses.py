"""The buses of one cluster on Kafka, and handlers that count events."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from pytest_asyncio import fixture

from shared.bus.kafka import KafkaBus
from shared.bus.kafka.topics import Layout
from shared.bus.policy import ErrorPolicy
from shared.bus.port import Outcome, Subscription
from shared.contracts.envelope import DeadLetter
from shared.contracts.events import Event, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.engines.jars import Server

QUICK = ErrorPolicy(attempts=3, retry_first_s=0.01, wait_first_s=0.05, wait_cap_s=0.2)
DEADLINE_S = 60.0


class Cluster:
    """Makes buses that share topics and groups, as processes of one cluster do.

    Attributes:
        prefix: of the names of their topics, for other clients.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.prefix = f"{uuid.uuid4().hex[:8]}."
        self.made: list[KafkaBus] = []

    def __call__(self) -> KafkaBus:
        """A further bus."""
        bus = KafkaBus(
            self._address, client=f"tests-{len(self.made)}", policy=QUICK, prefix=self.prefix,
            layout=Layout(6),
        )  # fmt: skip
        self.made.append(bus)
        return bus


@fixture
async def make_bus(kafka: Server) -> AsyncIterator[Cluster]:
    """Makes the buses of one test, and drains them at its end."""
    cluster = Cluster(kafka.address)
    yield cluster
    await asyncio.gather(*(bus.drain(0) for bus in cluster.made))


def vectorized(number: int) -> TrackVectorized:
    return TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=1)


async def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in time: {what}"
        await asyncio.sleep(0.02)


async def until_idle(bus: KafkaBus) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while any(lag.records for lag in await bus.lag()):
        assert time.monotonic() < deadline, "not idle in time"
        await asyncio.sleep(0.02)


class CountingHandler:
    """A handler that counts events, and takes some time."""

    def __init__(self, takes_s: float = 0) -> None:
        self.seen: Counter[Event] = Counter()
        self._takes_s = takes_s

    async def __call__(self, events: Sequence[Any]) -> Outcome:
        await asyncio.sleep(self._takes_s)
        self.seen.update(events)
        return Outcome()


def consume(bus: KafkaBus, handler: Any, **options: Any) -> None:
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, handler, **options))


def keep_dead_letters(bus: KafkaBus) -> list[DeadLetter]:
    kept: list[DeadLetter] = []

    async def keep(letters: Sequence[DeadLetter]) -> None:
        kept.extend(letters)

    bus.subscribe_dead_letters(Stage.FAILURES, keep)
    return kept
