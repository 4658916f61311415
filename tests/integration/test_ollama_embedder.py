"""What Ollama's client says when the server is not there, or has no such model."""

import asyncio
from collections.abc import Callable

import pytest

from shared.contracts.errors import DependencyDown, PipelineError, TransientError
from shared.embedding.ollama_embedder import OllamaEmbedder


def _answer(status: str, body: str) -> Callable[..., object]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    return serve


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("404 Not Found", DependencyDown, "ollama pull all-minilm"),
        ("500 Internal Server Error", TransientError, "500"),
    ],
)
async def test_an_answer_that_is_none_says_what_to_do(
    status: str, error: type[PipelineError], told: str
) -> None:
    body = '{"error": "model not found"}'
    server = await asyncio.start_server(_answer(status, body), "127.0.0.1", 0)  # type: ignore[arg-type] # its stubs are wider
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(error, match=told):
            await OllamaEmbedder(f"http://127.0.0.1:{port}", "all-minilm").embed(["calm piano"])


async def test_a_server_out_of_reach_is_a_dependency_that_is_down() -> None:
    with pytest.raises(DependencyDown, match="out of reach"):
        await OllamaEmbedder("http://127.0.0.1:9", "all-minilm").space()
