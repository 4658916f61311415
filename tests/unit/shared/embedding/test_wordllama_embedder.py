import numpy as np
import pytest

from shared.embedding.wordllama_embedder import WordLlamaEmbedder

# The first four numbers of the vectors, of unit length, that WordLlama 0.4.0 itself computes.
REFERENCE = {
    "slow jazz": [-0.02015, 0.04907, 0.05022, -0.06061],
    "calm piano in the night, by Bill Evans": [0.00454, 0.02666, 0.03351, 0.01556],
    "!!!": [0.0219, 0.05116, 0.00216, -0.04116],
    "東京 Björk Jóga": [-0.03843, 0.04319, -0.00206, -0.11332],
}


async def test_vectors_are_those_of_wordllama_itself() -> None:
    vectors = await WordLlamaEmbedder().embed(list(REFERENCE))
    assert vectors[:, :4] == pytest.approx(np.array(list(REFERENCE.values())), abs=1e-5)
