"""What a trained model hears in a track: the shape of its answer. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOODS = ("aggressive", "relaxed", "party", "happy", "sad")
"""The keys of `Meaning.moods`."""
SCALES = ("acoustic", "electronic", "instrumental", "energy", "valence", "arousal")
"""The fields of `Meaning` that are a `Score`."""
EMBEDDING_DIMENSIONS = 420
"""Largest and mean value over time of the 210 channels that vary, of the MSD model's 753."""


@dataclass(frozen=True)
class Score:
    """A track's place on one scale.

    Attributes:
        score: 0..1; the share of the reference music that has less of it, so .5 is average and
            a score means the same in every library.
        confidence: 0..1; how sure it is on which side of .5 the track stands, times what the
            scale is worth at all (`models.Scale.worth`). 0: nothing is known.
    """

    score: float
    confidence: float


@dataclass(frozen=True)
class Meaning:
    """What the model heard in a track.

    Attributes:
        model: name of the model, "musicnn-msd".
        version: of weights, slices and scales together: values compare within one only.
        tags: the model's tags, each with its probability 0..1, mean over the patches. Of mood tags
            they are tiny (happy < .01): rank by them, never cut at .5.
        genre: one of the model's genres (`msd.MSD.genres`); None where nothing is to be heard.
        genre_confidence: 0..1; the genre's share among all genres' evidence.
        moods: by `MOODS`; happy and sad are weak, and their confidence says so.
        acoustic, electronic: their scores; they may both be low or both be high.
        instrumental: 1 is without a voice, 0 is sung.
        energy: loud, dense, driving against sparse and soft, as the tags tell it.
        valence: 1 is pleasant, cheerful; 0 is dark, sad. Weak.
        arousal: 1 is exciting; 0 is calm. Nearly the same as energy (r = .99).
        embedding: pooled features, standardised, float32, shape (EMBEDDING_DIMENSIONS,), unit
            length: the cosine of two tells how alike two tracks sound.
        patches: how many patches of 3 s were heard; 0 for silence, where all confidences are 0,
            all tags 0, all scores .5 but energy and arousal 0.
    """

    model: str
    version: str
    tags: dict[str, float]
    genre: str | None
    genre_confidence: float
    moods: dict[str, Score]
    acoustic: Score
    electronic: Score
    instrumental: Score
    energy: Score
    valence: Score
    arousal: Score
    embedding: NDArray[np.float32]
    patches: int
