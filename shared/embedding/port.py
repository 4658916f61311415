"""The port of text embedding, and the preparation of texts and vectors by all embedders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.contracts.errors import TransientError

_MAX_CHARACTERS = 4_000  # far beyond what the models read


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """Vectors are comparable if they agree in all three."""

    model: str
    version: str
    dimensions: int


class TextEmbedder(Protocol):
    """Turns texts into vectors. The first use may be slow: nothing is loaded before."""

    async def space(self) -> EmbeddingSpace:
        """Return the space of its vectors.

        Raises:
            DependencyDown: the server is out of reach or has no such model; says what to do.
        """
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of unit length, shape (len(texts), dimensions), in the order of the texts.

        A text without words gets a vector too.

        Raises:
            DependencyDown: the server is out of reach or has no such model.
        """
        ...


async def embed_in_one_space(
    embedder: TextEmbedder, texts: Sequence[str]
) -> tuple[EmbeddingSpace, NDArray[np.float32]]:
    """Return the vectors, as `embed` does, and the space that they are in.

    Raises:
        TransientError: the server's model was replaced meanwhile.
        DependencyDown: the server is out of reach or has no such model.
    """
    space = await embedder.space()
    vectors = await embedder.embed(texts)
    if await embedder.space() != space:
        raise TransientError(f"the embedding model {space.model} was replaced meanwhile")
    return space, vectors


def sendable(text: str) -> str:
    """Return the text in a form that every model takes.

    Lone surrogates cannot be encoded, and an empty text has no vector. Long texts are cut.
    """
    return text[:_MAX_CHARACTERS].encode(errors="replace").decode().strip() or "unknown"


def to_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors, shape (n, d), to unit length; a zero or infinite one becomes a fixed vector.

    A text has a zero vector if the model knows none of its words.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = np.isfinite(lengths) & (lengths > 0)
    nowhere = np.float32(vectors.shape[1] ** -0.5)
    unit = np.where(known, vectors / np.where(known, lengths, 1), nowhere)
    return unit.astype(np.float32)
