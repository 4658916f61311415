"""WordLlama: static word vectors, pooled; the weights are in its wheel, no network is used.

Good for "calm piano"; blind to the order of words and to negation.
"""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.embedding.port import EmbeddingSpace
from shared.embedding.shapes import sendable, to_unit_length

_DIMENSIONS = 256


class WordLlamaEmbedder:
    """The embedder of one machine: some 100 MB, loaded (1 s) with the first text.

    One call at a time computes; others wait for it in their threads.
    """

    def __init__(self) -> None:
        self._model: Any = None
        self._turn = Lock()

    async def space(self) -> EmbeddingSpace:
        """The space: known without loading the model."""
        return EmbeddingSpace("wordllama", version("wordllama"), _DIMENSIONS)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape (n, 256)."""
        if not texts:
            return np.zeros((0, _DIMENSIONS), np.float32)
        return await asyncio.to_thread(self._embed, [sendable(text) for text in texts])

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        with self._turn:
            vectors = np.asarray(self._loaded().embed(texts), dtype=np.float32)
        return to_unit_length(vectors)

    def _loaded(self) -> Any:
        if self._model is None:
            from wordllama import WordLlama  # noqa: PLC0415 - 1 s and 100 MB, only when used

            spec = find_spec("wordllama")
            if spec is None or spec.origin is None:
                raise RuntimeError("wordllama is not installed")
            # It looks for its own files elsewhere, then asks the network, unless told.
            folder = Path(spec.origin).parent
            self._model = WordLlama.load(cache_dir=folder, disable_download=True)
        return self._model
