"""The tagger: from a track's samples to its tags, genre, moods and embedding."""

import numpy as np
from numpy.typing import NDArray

from services.analyzer.musicnn import scores
from services.analyzer.musicnn.models import Model, WeightsAbsent
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.network import BANDS, FRAMES, Network, logits_of, pooled_of
from services.analyzer.musicnn.patches import RATE_HZ, log_mel, slices_of
from services.analyzer.musicnn.weights import load
from shared.contracts.meaning import SCORES, Meaning

Array = NDArray[np.float32]

_MIN_DEVIATION = 1e-2
"""A pooled channel that deviated less in the music of the training carries no information."""
_MAX_STANDARDISED = 4.0


def absence_reason(model: Model = MSD) -> str | None:
    """Why the model cannot be used here and what to do about it; None where it can."""
    try:
        load(model)
    except WeightsAbsent as absent:
        return str(absent)
    return None


class Tagger:
    """Tags tracks with one model. It has no state but the weights, so a process needs only one."""

    def __init__(self, model: Model, network: Network) -> None:
        self._model = model
        self._network = network

    @classmethod
    def open(cls, model: Model = MSD) -> "Tagger | None":
        """The tagger, or None where the weights are absent: see `absence_reason`."""
        try:
            return cls(model, load(model))
        except WeightsAbsent:
            return None

    def tag(self, samples: Array, rate_hz: int = RATE_HZ) -> Meaning:
        """The meaning of a track; takes some 40 ms, whatever its length.

        Args:
            samples: a whole track or its excerpt, mono, -1..1, float32, (n,), n at least 1.
            rate_hz: sample rate; only the slices that are used are resampled to 16 kHz.
        """
        patches = log_mel(slices_of(samples, rate_hz))
        if not len(patches):
            return self._silence()
        pooled = pooled_of(self._network, patches)
        logits = logits_of(self._network, pooled)
        tags = scores.tag_probabilities(self._model, logits)
        genre, genre_confidence = scores.genre_of(self._model, tags)
        return Meaning(
            model=self._model.name,
            version=self._model.version,
            tags=tags,
            genre=genre,
            genre_confidence=genre_confidence,
            embedding=embedding_of(self._network, pooled).tolist(),
            patches=len(patches),
            **{scale: scores.score_of(self._model, scale, logits) for scale in SCORES},
        )

    def _silence(self) -> Meaning:
        """Defined values for silence; its embedding is the network's own for an empty patch."""
        pooled = pooled_of(self._network, np.zeros((1, FRAMES, BANDS), np.float32))
        return Meaning(
            model=self._model.name,
            version=self._model.version,
            tags=dict.fromkeys(self._model.tags, 0.0),
            genre=None,
            genre_confidence=0.0,
            embedding=embedding_of(self._network, pooled).tolist(),
            patches=0,
            **{scale: scores.silent_score(scale) for scale in SCORES},
        )


def embedding_of(network: Network, pooled: Array) -> Array:
    """The embedding of a track: one unit vector, from (p, 2, d) to (e,); with MSD e is 420.

    The mean over patches, standardised by the statistics of the training, so that it does not
    depend on any music of ours. Channels that did not vary in training are left out, and outliers
    are limited.

    Args:
        network: the weights.
        pooled: pooled values of the track's patches.
    """
    is_varying = network.pooled_deviation > _MIN_DEVIATION
    standardised = (pooled.mean(axis=0) - network.pooled_mean)[is_varying]
    standardised = np.clip(
        standardised / network.pooled_deviation[is_varying], -_MAX_STANDARDISED, _MAX_STANDARDISED
    )
    return np.asarray(standardised / np.linalg.norm(standardised), np.float32)
