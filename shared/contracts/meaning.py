"""Meaning: what a trained model heard in a track: tags, moods, scales and an embedding."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
MOODS = ("aggressive", "relaxed", "party", "happy", "sad")
"""The moods among the fields of `Meaning`."""
SCALES = ("acoustic", "electronic", "instrumental", "energy", "valence", "arousal")
"""The other fields of `Meaning` that are a `Score`."""
SCORES = MOODS + SCALES
MOST_DIMENSIONS = 2_000
"""Of an embedding: the longest that vectors can be stored in."""


class Score(BaseModel):
    """A track's place on one scale.

    Attributes:
        score: the share of the reference music that has less of it, so .5 is average and a score
            means the same in every library.
        confidence: how sure it is that the score is on the right side of .5, times how reliable
            the scale is. 0: nothing is known.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    score: Share
    confidence: Share


def _plain(values: object) -> object:
    """Numpy's arrays as lists."""
    return values.tolist() if hasattr(values, "tolist") else values


class Meaning(BaseModel):
    """What a model heard in a track. For silence, `patches` and all confidences are 0."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    model: str = Field(min_length=1, max_length=200, description="Name of the trained model.")
    version: str = Field(
        min_length=1,
        max_length=200,
        description="Of weights, excerpts and scales together: values compare within one only.",
    )
    patches: int = Field(ge=0, le=10_000, description="How many excerpts of 3 s were heard.")
    tags: dict[str, Share] = Field(
        max_length=1_000,
        description="The model's words, each with its probability. Of moods they are tiny: rank"
        " by them, never cut at .5.",
    )
    genre: str | None = Field(None, max_length=200, description="None where nothing is heard.")
    genre_confidence: Share = Field(description="The genre's share among all genres' evidence.")
    aggressive: Score
    relaxed: Score
    party: Score
    happy: Score = Field(description="Weak, and its confidence says so.")
    sad: Score = Field(description="Weak: says little more than slow and quiet.")
    acoustic: Score
    electronic: Score
    instrumental: Score = Field(description="1 is without a voice, 0 is sung.")
    energy: Score = Field(description="Dense and driving against sparse and soft.")
    valence: Score = Field(description="1 is pleasant, cheerful; 0 is dark, sad. Weak.")
    arousal: Score = Field(description="1 is exciting, 0 is calm; nearly the same as energy.")
    embedding: Annotated[list[float], BeforeValidator(_plain)] = Field(
        min_length=1,
        max_length=MOST_DIMENSIONS,
        description="Of unit length: the cosine of two tells how alike two tracks sound.",
    )


class AudioModel(BaseModel):
    """The trained model that the analyzers use now; `dimensions` is its embedding's length.

    `model` and `version` are those of `Meaning`.
    """

    model_config = ConfigDict(frozen=True)

    model: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1, max_length=200)
    dimensions: int = Field(ge=1, le=MOST_DIMENSIONS)
