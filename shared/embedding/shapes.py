"""The form of what goes into an embedder, and of what comes out, whatever the model. Pure."""

import numpy as np
from numpy.typing import NDArray

_MOST_CHARACTERS = 4_000  # far beyond what the models read


def sendable(text: str) -> str:
    """The text without what embedders choke on.

    Lone surrogates can't be encoded, and an empty text has no vector; very long ones are cut.
    """
    return text[:_MOST_CHARACTERS].encode(errors="replace").decode().strip() or "unknown"


def to_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same directions, shape (n, d); a fixed one for a zero (words that no model knows)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = np.isfinite(lengths) & (lengths > 0)
    nowhere = np.float32(vectors.shape[1] ** -0.5)
    unit = np.where(known, vectors / np.where(known, lengths, 1), nowhere)
    return unit.astype(np.float32)
