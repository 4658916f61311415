"""The adapters that each suite runs with: of the bus and of the search index."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from pytest_asyncio import fixture

from shared.bus.in_process import InProcessBus
from shared.bus.kafka import KafkaBus
from shared.bus.kafka.topics import Layout
from shared.bus.policy import ErrorPolicy
from shared.bus.port import Bus
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import SearchIndex, SearchReader, SearchWriter
from shared.search.tantivy_index import TantivyIndex
from tests.contract.search_library import LIBRARY

QUICK = ErrorPolicy(
    attempts=3, retry_first_s=0.01, retry_cap_s=0.05, wait_first_s=0.01, wait_cap_s=0.05
)
DEADLINE_S = 30.0


@dataclass(slots=True)
class Adapter:
    """Makes buses. Each has topics and groups of its own."""

    name: str
    build: Callable[[ErrorPolicy, int], Bus]
    bounded: bool
    """Whether `publish` waits once a topic holds `capacity` records."""
    made: list[Bus] = field(default_factory=list)

    def make(self, *, capacity: int = 10_000) -> Bus:
        """A new bus; it is drained at the end of the test."""
        bus = self.build(QUICK, capacity)
        self.made.append(bus)
        return bus


def _in_process(policy: ErrorPolicy, capacity: int) -> Bus:
    return InProcessBus(policy=policy, capacity=capacity)


def _kafka(servers: str) -> Callable[[ErrorPolicy, int], Bus]:
    def build(policy: ErrorPolicy, _: int) -> Bus:
        own = f"{uuid.uuid4().hex[:8]}."
        return KafkaBus(servers, client="tests", policy=policy, prefix=own, layout=Layout(4))

    return build


@fixture(params=["in_process", "kafka"])
async def adapter(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    if request.param == "kafka":
        servers = request.getfixturevalue("kafka").address
        chosen = Adapter("kafka", _kafka(servers), bounded=False)
    else:
        chosen = Adapter("in_process", _in_process, bounded=True)
    yield chosen
    for bus in chosen.made:
        await bus.drain(0)


@pytest.fixture
def bus(adapter: Adapter) -> Bus:
    return adapter.make()


@dataclass(frozen=True, slots=True)
class Engine:
    """Opens one index, which is empty at first. Each call returns a new object."""

    writer: Callable[[], SearchWriter]
    reader: Callable[[], SearchReader]


@pytest.fixture(params=["tantivy", "opensearch"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    make: Callable[[], SearchIndex]
    if request.param == "opensearch":
        url, alias = request.getfixturevalue("opensearch").url, f"contract-{uuid.uuid4().hex}"
        make = partial(OpenSearchIndex, url, alias=alias)
    else:
        make = partial(TantivyIndex, tmp_path)
    return Engine(make, make)


@fixture
async def writer(engine: Engine) -> AsyncIterator[SearchWriter]:
    made = engine.writer()
    async with made.writing():
        yield made


@fixture
async def reader(engine: Engine) -> AsyncIterator[SearchReader]:
    made = engine.reader()
    async with made.reading():
        yield made


@fixture
async def library(writer: SearchWriter) -> SearchWriter:
    await writer.write(LIBRARY)
    return writer


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds; fail if it never does."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in time: {what}"
        await asyncio.sleep(0.005)


async def until_idle(bus: Bus) -> None:
    """Wait until every group has committed everything."""
    deadline = time.monotonic() + DEADLINE_S
    while any(lag.records for lag in await bus.lag()):
        assert time.monotonic() < deadline, f"not idle in time: {await bus.lag()}"
        await asyncio.sleep(0.005)
