"""Ollama: an embedding model behind a server.

Written against the client's documented behaviour; it is run against a real Ollama with the
cluster's tests, which come with the Kafka bus.
"""

from collections.abc import Sequence

import httpx
import numpy as np
import ollama
from numpy.typing import NDArray

from shared.contracts.errors import DependencyDown, TransientError
from shared.embedding.port import EmbeddingSpace
from shared.embedding.shapes import sendable, to_unit_length

_BATCH = 64
_NOT_FOUND = 404


class OllamaEmbedder:
    """The embedder of a cluster.

    Args:
        url: address of the server.
        model: name of an embedding model that was pulled there.
    """

    def __init__(self, url: str, model: str) -> None:
        self._client = ollama.AsyncClient(host=url, timeout=120)
        self._url = url
        self._model = model
        self._space: EmbeddingSpace | None = None

    async def space(self) -> EmbeddingSpace:
        """The space: asked of the server once; its version is the digest of the model."""
        if self._space is None:
            probe = await self._request(["music"])
            self._space = EmbeddingSpace(self._model, await self._digest(), probe.shape[1])
        return self._space

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape (n, dimensions of the space)."""
        space = await self.space()
        vectors = np.zeros((len(texts), space.dimensions), np.float32)
        for start in range(0, len(texts), _BATCH):
            portion = texts[start : start + _BATCH]
            got = await self._request([sendable(text) for text in portion])
            if got.shape != (len(portion), space.dimensions):
                self._space = None  # the model was replaced: look again
                raise TransientError(
                    f"{self._model} gave {got.shape} numbers instead of"
                    f" {(len(portion), space.dimensions)}"
                )
            vectors[start : start + len(portion)] = got
        return to_unit_length(vectors)

    async def _request(self, texts: list[str]) -> NDArray[np.float32]:
        try:
            answer = await self._client.embed(model=self._model, input=texts)
        except ollama.ResponseError as error:
            raise self._named(error) from error
        except (ConnectionError, httpx.TransportError) as error:
            raise DependencyDown(f"Ollama at {self._url} is out of reach: {error!r}") from error
        vectors: NDArray[np.float32] = np.asarray(answer.embeddings, dtype=np.float32)
        return vectors

    async def _digest(self) -> str:
        try:
            models = (await self._client.list()).models
        except (ollama.ResponseError, ConnectionError, httpx.TransportError) as error:
            raise DependencyDown(f"Ollama at {self._url} is out of reach: {error!r}") from error
        names = {self._model, f"{self._model}:latest"}
        return next((m.digest or "" for m in models if m.model in names), "unknown")[:12]

    def _named(self, error: ollama.ResponseError) -> Exception:
        if error.status_code == _NOT_FOUND:
            return DependencyDown(
                f"Ollama has no model {self._model!r}: run `ollama pull {self._model}`"
            )
        return TransientError(f"Ollama answered {error.status_code}: {error.error}")
