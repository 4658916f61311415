"""Text embedding by a model on an Ollama server.

Whoever runs the server may replace a model by another one of the same name. So the version of the
embedding space is the model's digest, which is requested again with every call.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx
import numpy as np
import ollama
from numpy.typing import NDArray

from shared.contracts.errors import DependencyDown, TransientError
from shared.embedding.port import EmbeddingSpace, sendable, to_unit_length
from shared.runtime.breaker import Breaker, Refused

T = TypeVar("T")
_BATCH = 32
_NOT_FOUND = 404
_DIGEST_CHARACTERS = 12  # as Ollama itself shows it
_FAILURES, _OPEN_S = 3, 5.0
# The first call loads the model, and a batch takes long on few cores.
_TIMEOUT = httpx.Timeout(60, connect=5)


class OllamaEmbedder:
    """The embedder of a cluster.

    After three failures in a row the server is not called for some seconds; calls fail at once
    meanwhile.

    Args:
        url: the address of the server.
        model: the name of an embedding model that the server has.
        timeout: the timeout of a request, in seconds.
        open_s: how long a server that failed is not called.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        timeout: float | httpx.Timeout = _TIMEOUT,
        open_s: float = _OPEN_S,
    ) -> None:
        # No connection is kept, so that none has to be closed, or is found dead after a restart.
        self._client = ollama.AsyncClient(
            host=url, timeout=timeout, trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip
        self._url = url
        self._model = model
        self._space: EmbeddingSpace | None = None
        self._breaker = Breaker("ollama", failures=_FAILURES, open_s=open_s, counts=DependencyDown)

    async def space(self) -> EmbeddingSpace:
        """Return the space as of the last call; its version is the digest of the model."""
        if self._space is None:
            digest = await self._digest()
            probe = await self._vectors(["music"])
            self._space = EmbeddingSpace(self._model, digest, probe.shape[1])
        return self._space

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of unit length, shape (n, dimensions of the space).

        Raises:
            TransientError: the model was replaced meanwhile; the next call uses the new one.
            DependencyDown: the server does not answer, or has no such model.
        """
        space = await self.space()
        vectors = np.zeros((len(texts), space.dimensions), np.float32)
        for start in range(0, len(texts), _BATCH):
            portion = texts[start : start + _BATCH]
            rows = await self._vectors([sendable(text) for text in portion])
            expected = (len(portion), space.dimensions)
            if rows.shape != expected:
                self._raise_replaced(f"{rows.shape}, not {expected} numbers")
            vectors[start : start + len(portion)] = rows
        digest = await self._digest()
        if digest != space.version:
            self._raise_replaced(f"digest {digest}, not {space.version}")
        return to_unit_length(vectors)

    def _raise_replaced(self, seen: str) -> None:
        self._space = None
        raise TransientError(f"Ollama's model {self._model} was replaced by another: {seen}")

    async def _vectors(self, texts: list[str]) -> NDArray[np.float32]:
        answer = await self._call(lambda: self._client.embed(model=self._model, input=texts))
        if len(answer.embeddings) != len(texts):
            count = f"{len(answer.embeddings)} vectors for {len(texts)} texts"
            raise TransientError(f"Ollama's model {self._model} returned {count}")
        return np.asarray(answer.embeddings, dtype=np.float32)

    async def _digest(self) -> str:
        names = {self._model, f"{self._model}:latest"}
        models = (await self._call(self._client.list)).models
        digest = next((each.digest for each in models if each.model in names), None)
        if not digest:
            raise self._no_model()
        return digest[:_DIGEST_CHARACTERS]

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._breaker.call(lambda: self._translated(call))
        except Refused as refused:
            raise DependencyDown(
                f"{refused.cause} (it is asked again in {refused.after_s:.0f} s)"
            ) from refused

    async def _translated(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call, and turn its errors into those that tell the bus what to do."""
        try:
            return await call()
        except ollama.ResponseError as error:
            if error.status_code == _NOT_FOUND:
                raise self._no_model() from error
            raise TransientError(f"Ollama answered {error.status_code}: {error.error}") from error
        except (ConnectionError, httpx.TransportError) as error:
            raise DependencyDown(f"Ollama at {self._url} is out of reach: {error!r}") from error
        except (ValueError, TypeError) as error:  # not JSON, or other fields
            raise TransientError(f"{self._url} answers as no Ollama does: {error!r}") from error

    def _no_model(self) -> DependencyDown:
        self._space = None
        return DependencyDown(
            f"Ollama at {self._url} has no model {self._model!r}: run `ollama pull {self._model}`"
        )
