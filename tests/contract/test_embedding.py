"""The behaviour of every text embedder, with any model."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from shared.embedding.ollama_embedder import OllamaEmbedder
from shared.embedding.port import TextEmbedder
from shared.embedding.wordllama_embedder import WordLlamaEmbedder

Factory = Callable[[], TextEmbedder]


@pytest.fixture(scope="module", params=["wordllama", "ollama"])
def factory(request: pytest.FixtureRequest) -> Factory:
    """Makes new embedders of one model; nothing is loaded or requested yet."""
    if request.param == "wordllama":
        return WordLlamaEmbedder
    url = request.getfixturevalue("ollama").url
    return lambda: OllamaEmbedder(url, "all-minilm")


@pytest.fixture(scope="module")
def embedder(factory: Factory) -> TextEmbedder:
    return factory()


ODD = ["", " \n", "!!!", "\ud800", "a\x00b", "\u6771\u4eac", "x" * 100_000, "word " * 50_000]


async def test_vectors_have_the_spaces_dimensions_unit_length_and_the_order_of_the_texts(
    embedder: TextEmbedder,
) -> None:
    texts = ["slow jazz", "fast metal", "slow jazz"]
    vectors = await embedder.embed(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, (await embedder.space()).dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])


async def test_no_texts_give_no_vectors(embedder: TextEmbedder) -> None:
    assert (await embedder.embed([])).shape == (0, (await embedder.space()).dimensions)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
async def test_any_text_gets_a_vector_of_unit_length(embedder: TextEmbedder, text: str) -> None:
    vectors = await embedder.embed([text])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1], abs=1e-5)


async def test_a_text_has_the_same_vector_alone_in_a_batch_and_at_the_same_time(
    embedder: TextEmbedder,
) -> None:
    texts = [f"number {number} of the quiet piano pieces" for number in range(70)]
    together = await embedder.embed(texts)
    at_once = await asyncio.gather(*(embedder.embed([text]) for text in texts))
    assert np.allclose(together, np.concatenate(at_once), atol=1e-5)


async def test_two_embedders_of_one_model_have_the_same_space(
    factory: Factory, embedder: TextEmbedder
) -> None:
    other = factory()
    assert await other.space() == await embedder.space()
    assert np.allclose(await other.embed(["jazz"]), await embedder.embed(["jazz"]), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("calm piano", "quiet solo piano", "fast aggressive metal"),
        ("heavy metal guitar", "loud rock guitar riff", "gentle harp lullaby"),
        ("music to dance to", "danceable electronic club track", "slow mournful organ"),
        ("violin concerto", "classical orchestra with strings", "hip hop beat"),
        ("1980s synth pop", "electronic pop of the eighties, synthesizer", "medieval choir"),
    ],
)
async def test_texts_with_similar_meaning_are_near(
    embedder: TextEmbedder, text: str, near: str, far: str
) -> None:
    it, alike, other = await embedder.embed([text, near, far])
    assert it @ alike > it @ other
