"""Embedding of texts as the services see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """What makes vectors comparable: they agree in all three."""

    model: str
    version: str
    dimensions: int


class TextEmbedder(Protocol):
    """Turns texts into vectors. May be slow to start: nothing is loaded before the first use."""

    async def space(self) -> EmbeddingSpace:
        """The space of its vectors.

        Raises:
            DependencyDown: the server is out of reach or has no such model; says what to do.
        """
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape (len(texts), dimensions), in the order of the texts.

        A text without words gets a vector too.

        Raises:
            DependencyDown: the server is out of reach or has no such model.
        """
        ...
