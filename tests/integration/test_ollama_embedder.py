"""The embedder with a real Ollama that is killed, hangs, lacks the model, or has another one.

A stub server sends the responses that the real one never gives, and counts requests.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from shared.contracts.errors import DependencyDown, PipelineError, TransientError
from shared.embedding.ollama_embedder import OllamaEmbedder
from tests.engines.ollama import OllamaServer, Parts
from tests.engines.smaller_model import cut

MODEL = "all-minilm"
TEXTS = ["calm piano", "fast metal"]


@pytest.fixture
def server(ollama: OllamaServer) -> Iterator[OllamaServer]:
    """The real server; it is started again after the test."""
    yield ollama
    ollama.kill()
    ollama.start()


def _embedder(url: str, model: str = MODEL, *, timeout_s: float = 60) -> OllamaEmbedder:
    return OllamaEmbedder(url, model, timeout=timeout_s, open_s=0.2)


async def _embed_when_up(embedder: OllamaEmbedder) -> NDArray[np.float32]:
    """Retry while the dependency is down, as the bus does."""
    while True:
        try:
            return await embedder.embed(TEXTS)
        except DependencyDown:
            await asyncio.sleep(0.05)


async def test_a_killed_server_is_used_again_when_it_is_back(server: OllamaServer) -> None:
    embedder = _embedder(server.url)
    before, space = await embedder.embed(TEXTS), await embedder.space()
    server.kill()
    for _ in range(5):
        with pytest.raises(DependencyDown, match="out of reach"):
            await embedder.embed(TEXTS)
    server.start()
    assert np.allclose(await _embed_when_up(embedder), before, atol=1e-5)
    assert await embedder.space() == space


async def test_a_server_killed_during_a_request_counts_as_down(
    server: OllamaServer,
) -> None:
    embedder = _embedder(server.url)
    await embedder.space()
    work = asyncio.create_task(embedder.embed([f"{n} long " * 200 for n in range(200)]))
    await asyncio.sleep(0.3)
    server.kill()
    with pytest.raises(DependencyDown, match="out of reach"):
        await work


async def test_a_hanging_server_times_out_and_is_used_again_afterwards(
    server: OllamaServer,
) -> None:
    embedder = _embedder(server.url, timeout_s=0.5)
    await _embed_when_up(embedder)
    server.freeze()
    with pytest.raises(DependencyDown, match=r"out of reach.*Timeout"):
        await embedder.embed(TEXTS)
    server.thaw()
    await _embed_when_up(embedder)


async def test_a_missing_model_is_named_with_the_command_that_pulls_it(
    ollama: OllamaServer, ollama_parts: Parts
) -> None:
    embedder = _embedder(ollama.url, "not-pulled")
    for _ in range(2):
        with pytest.raises(DependencyDown, match="run `ollama pull not-pulled`"):
            await embedder.embed(TEXTS)
    ollama.add("not-pulled", ollama_parts.model)
    assert (await _embed_when_up(embedder)).shape == (2, 384)
    ollama.remove("not-pulled")
    with pytest.raises(DependencyDown, match="run `ollama pull not-pulled`"):
        await embedder.embed(TEXTS)


@pytest.mark.parametrize(("size", "dimensions"), [({"layers": 2}, 384), ({"heads": 4}, 128)])
async def test_a_replaced_model_is_noticed_and_has_a_space_of_its_own(
    ollama: OllamaServer, ollama_parts: Parts, tmp_path: Path,
    size: dict[str, int], dimensions: int,
) -> None:  # fmt: skip
    name = f"replaced-{dimensions}"
    ollama.add(name, ollama_parts.model)
    embedder = _embedder(ollama.url, name)
    await embedder.embed(TEXTS)
    before = await embedder.space()
    ollama.add(name, cut(ollama_parts.model, tmp_path / "smaller", **size))
    with pytest.raises(TransientError, match="was replaced"):
        await embedder.embed(TEXTS)
    assert (await embedder.embed(TEXTS)).shape == (2, dimensions)
    after = await embedder.space()
    assert after.dimensions == dimensions
    assert after.version != before.version
    assert after == await _embedder(ollama.url, name).space()


class Stub:
    """A server that sends the same response to each request, and counts them."""

    def __init__(self, response: bytes) -> None:
        self._response = response
        self.requests = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.write(self._response)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield


def _response(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (_response("500 Internal Server Error", '{"error": "EOF"}'), TransientError, "500: EOF"),
        (_response("200 OK", "<html>"), TransientError, "as no Ollama does"),
        (_response("200 OK", "[]"), TransientError, "as no Ollama does"),
        (_response("200 OK", '{"models": 7}'), TransientError, "as no Ollama does"),
        (b"", DependencyDown, "out of reach"),
    ],
    ids=["500", "no JSON", "a list", "odd", "nothing"],
)
async def test_an_invalid_response_is_an_error(
    response: bytes, error: type[PipelineError], message: str
) -> None:
    stub = Stub(response)
    async with stub.running():
        with pytest.raises(error, match=message):
            await _embedder(stub.url).embed(TEXTS)


def _is_open() -> float | None:
    return REGISTRY.get_sample_value("soniquebay_breakers_open_state", {"server": "ollama"})


async def test_after_three_failures_requests_fail_at_once() -> None:
    stub = Stub(b"")
    async with stub.running():
        embedder = OllamaEmbedder(stub.url, MODEL, open_s=600)
        assert _is_open() == 0
        for _ in range(20):
            with pytest.raises(DependencyDown, match="out of reach"):
                await embedder.embed(TEXTS)
        assert stub.requests == 3
        assert _is_open() == 1
        with pytest.raises(DependencyDown, match=r"out of reach.*it is asked again in \d+ s"):
            await embedder.space()
