"""Text embedding by WordLlama: the mean of static word vectors, without any network.

It suits queries like "calm piano", but ignores the order of words and negation. Of the package
`wordllama` only the data files are read, and none of its code is run: later versions have the same
vectors (D. Lee Miller, MIT licence), but must be compiled where there is no wheel, as on a
Raspberry Pi.
"""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.embedding.port import EmbeddingSpace, sendable, to_unit_length

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MODEL = "l2_supercat"
_DIMENSIONS = 256
_BATCH = 64
"""The texts that are embedded at a time, which limits the memory."""


class WordLlamaEmbedder:
    """The embedder of one machine: some 60 MB, loaded (0.2 s) with the first text.

    One call computes at a time; others wait in their threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    async def space(self) -> EmbeddingSpace:
        """Return the space, without loading the model."""
        return EmbeddingSpace("wordllama", _MODEL, _DIMENSIONS)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of unit length, shape (n, 256)."""
        if not texts:
            return np.zeros((0, _DIMENSIONS), np.float32)
        return await asyncio.to_thread(self._embed, [sendable(text) for text in texts])

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        with self._lock:
            parts = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
            means = [self._means(part) for part in parts]
        return to_unit_length(np.concatenate(means))

    def _means(self, texts: list[str]) -> NDArray[np.float32]:
        """Return the mean of each text's word vectors; zero for a text without words."""
        words = [one.ids for one in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
        counts = np.array([len(ids) for ids in words])
        means = np.zeros((len(texts), _DIMENSIONS), np.float32)
        there = counts > 0
        if there.any():
            vectors = self._rows[list(chain.from_iterable(words))].astype(np.float32)
            ends = np.cumsum(counts[there])
            sums = np.add.reduceat(vectors, ends - counts[there])
            means[there] = sums / counts[there, None]
        return means

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer  # noqa: PLC0415 - only when used

        return Tokenizer.from_file(str(_package() / f"tokenizers/{_MODEL}_tokenizer_config.json"))

    @cached_property
    def _rows(self) -> NDArray[np.float16]:
        """The vector of each token, shape (32,000, 256)."""
        from safetensors.numpy import load_file  # noqa: PLC0415 - only when used

        tensors = load_file(_package() / f"weights/{_MODEL}_{_DIMENSIONS}.safetensors")
        rows: NDArray[np.float16] = tensors["embedding.weight"]
        return rows


def _package() -> Path:
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package wordllama is not installed, which embeds texts")
    return Path(spec.origin).parent
