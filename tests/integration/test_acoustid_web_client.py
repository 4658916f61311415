"""The AcoustID client with a server that limits, fails, hangs and sends invalid responses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import REGISTRY
from pytest_asyncio import fixture

from services.analyzer.acoustid.client import AcoustId
from services.analyzer.acoustid.web_client import RequestPolicy
from shared.runtime.settings import Settings

QUICK = RequestPolicy(max_per_s=1_000, first_backoff_s=0.01, timeout_s=0.5, failures=99, open_s=600)
Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: str, body: str | bytes, *headers: str) -> Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        content = body if isinstance(body, bytes) else body.encode()
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + content)

    return write


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read times out."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def vanish(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def found(id_: str = "found") -> Write:
    return answer("200 OK", json.dumps({"status": "ok", "results": [{"score": 1, "id": id_}]}))


BUSY = answer("429 Too Many Requests", "")
BROKEN = answer("500 Internal Server Error", "<html>")


@dataclass
class Server:
    """A server that sends the given answers in turn, and then always the last one."""

    answers: list[Write] = field(default_factory=list)
    request_times_s: list[float] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    url: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(
                    line.split(": ", 1)
                    for line in head.decode().lower().split("\r\n")
                    if ": " in line
                )
                await reader.readexactly(int(fields["content-length"]))
                self.request_times_s.append(time.monotonic())
                self.agents.add(fields["user-agent"])
                write = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await write(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v2/lookup"
    async with listening:
        yield running
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)


@asynccontextmanager
async def client(server: Server, **changes: float) -> AsyncIterator[AcoustId]:
    numbers: dict[str, float] = changes
    acoustid = AcoustId("key", url=server.url, policy=replace(QUICK, **numbers))  # type: ignore[arg-type] # all numbers
    async with acoustid.open():
        yield acoustid


def is_open() -> float | None:
    return REGISTRY.get_sample_value("soniquebay_breakers_open_state", {"server": "acoustid"})


@pytest.mark.parametrize(
    "failure", [BUSY, BROKEN, hang, drip, vanish], ids=["429", "500", "hangs", "drips", "vanishes"]
)
async def test_temporary_errors_are_retried_and_given_up_after_three_attempts(
    server: Server, failure: Write
) -> None:
    server.answers = [failure, failure, found()]
    async with client(server) as acoustid:
        assert await acoustid.look_up("AQAB", 60) == "found"
        assert len(server.request_times_s) == 3
        server.answers = [failure]
        assert await acoustid.look_up("other", 60) is None
        assert len(server.request_times_s) == 6
    assert all(agent.startswith("soniquebay/") for agent in server.agents)


@pytest.mark.parametrize(
    "invalid",
    [
        answer("200 OK", "<html>log in to the hotel's wi-fi</html>"),
        answer("200 OK", b"\xff\xfe\x00"),
        answer("200 OK", "[" * 100_000),
        answer("200 OK", b" " * 2_000_000),
        answer("400 Bad Request", '{"status": "error", "error": {"message": "invalid API key"}}'),
    ],
    ids=["html", "no text", "deep", "huge", "wrong key"],
)
async def test_an_invalid_response_is_not_retried(server: Server, invalid: Write) -> None:
    server.answers = [invalid]
    async with client(server) as acoustid:
        assert await acoustid.look_up("AQAB", 60) is None
    assert len(server.request_times_s) == 1


async def test_retry_after_holds_for_all_requests(server: Server) -> None:
    server.answers = [answer("429 Too Many Requests", "", "Retry-After: 1"), found()]
    async with client(server, first_backoff_s=0.001) as acoustid:
        assert await acoustid.look_up("first", 60) == "found"
        assert len(server.request_times_s) == 2
        assert server.request_times_s[1] - server.request_times_s[0] >= 0.99
        server.answers = [answer("503 Service Unavailable", "", "Retry-After: 3600"), found()]
        assert [await acoustid.look_up(f"{n}", 60) for n in range(9)] == [None] * 9
    assert len(server.request_times_s) == 3


async def test_a_service_that_is_down_gets_no_requests_until_a_trial_succeeds(
    server: Server,
) -> None:
    server.answers = [BROKEN]
    async with client(server, failures=5, open_s=1) as acoustid:
        assert is_open() == 0
        at_once = [acoustid.look_up(f"{n}", 60) for n in range(40)]
        assert await asyncio.gather(*at_once) == [None] * 40
        assert len(server.request_times_s) == 5
        assert is_open() == 1
        server.answers = [found()]
        attempts = 0
        while await acoustid.look_up(f"again {attempts}", 60) is None:
            attempts += 1
            await asyncio.sleep(0.05)
        assert len(server.request_times_s) == 6
        assert is_open() == 0


async def test_requests_are_evenly_spaced(server: Server) -> None:
    server.answers = [found()]
    async with client(server, max_per_s=20) as acoustid:
        begun_s = time.monotonic()
        await asyncio.gather(*(acoustid.look_up(f"{n}", 60) for n in range(9)))
        assert time.monotonic() - begun_s >= 8 / 20 - 0.01
    assert len(server.request_times_s) == 9


async def test_results_are_cached_and_the_oldest_evicted(server: Server) -> None:
    server.answers = [found("a"), answer("200 OK", '{"status": "ok", "results": []}'), found("c")]
    async with client(server, cache_size=2) as acoustid:
        for _ in range(3):
            assert await acoustid.look_up("one", 60) == "a"
            assert await acoustid.look_up("unknown there", 60) is None
        assert len(server.request_times_s) == 2
        assert await acoustid.look_up("three", 60) == "c"
        assert await acoustid.look_up("one", 60) == "c"
    assert len(server.request_times_s) == 4


@pytest.mark.parametrize("key", ["", "  ", "\n"])
def test_an_empty_key_counts_as_no_key(key: str) -> None:
    assert Settings.model_validate({"acoustid_key": key}).acoustid_key is None
