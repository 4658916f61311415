"""Embedding of texts as the services see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.contracts.errors import TransientError


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


async def embed_in_one_space(
    embedder: TextEmbedder, texts: Sequence[str]
) -> tuple[EmbeddingSpace, NDArray[np.float32]]:
    """Vectors as of `embed`, and the space that they are in: a server's model may be replaced.

    Raises:
        TransientError: it was replaced meanwhile.
        DependencyDown: the server is out of reach or has no such model.
    """
    space = await embedder.space()
    vectors = await embedder.embed(texts)
    if await embedder.space() != space:
        raise TransientError(f"the embedding model {space.model} was replaced meanwhile")
    return space, vectors
