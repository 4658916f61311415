"""The trained listener: sound in, meaning out."""

import numpy as np
from numpy.typing import NDArray

from services.analyzer.musicnn import derive
from services.analyzer.musicnn.log_mel import RATE_HZ, log_mel
from services.analyzer.musicnn.models import Model
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.network import logits_of, pooled_of
from services.analyzer.musicnn.package import WeightsAbsent
from services.analyzer.musicnn.pruning import BANDS, FRAMES, Network
from services.analyzer.musicnn.slices import slices_of
from services.analyzer.musicnn.weights import load
from shared.contracts.meaning import SCORES, Meaning

Array = NDArray[np.float32]

_CONSTANT = 1e-2
"""A pooled dimension that deviated less where the model was trained tells nothing."""
_BOUND = 4.0


def absence(model: Model = MSD) -> str | None:
    """Why the model cannot be used here and what to do about it; None where it can."""
    try:
        load(model)
    except WeightsAbsent as absent:
        return str(absent)
    return None


class Listener:
    """Hears tracks with one model; holds no state but the weights, so one serves a process."""

    def __init__(self, model: Model, network: Network) -> None:
        self._model = model
        self._network = network

    @classmethod
    def open(cls, model: Model = MSD) -> "Listener | None":
        """The listener, or None where the weights are absent: `absence` says why."""
        try:
            return cls(model, load(model))
        except WeightsAbsent:
            return None

    def hear(self, sound: Array, rate_hz: int = RATE_HZ) -> Meaning:
        """What is heard in a track: some 40 ms, whatever its length.

        Args:
            sound: the whole track, or slices of a long one joined, mono, -1..1, float32, (n,),
                n at least 1.
            rate_hz: its sample rate; only the slices that are heard are resampled to 16 kHz.
        """
        patches = log_mel(slices_of(sound, rate_hz))
        if not len(patches):
            return self._silence()
        pooled = pooled_of(self._network, patches)
        logits = logits_of(self._network, pooled)
        tags = derive.tags_of(self._model, logits)
        genre, genre_confidence = derive.genre_of(self._model, tags)
        scores = {name: derive.score_of(self._model, name, logits) for name in SCORES}
        return Meaning(
            model=self._model.name,
            version=self._model.version,
            tags=tags,
            genre=genre,
            genre_confidence=genre_confidence,
            embedding=embedding_of(self._network, pooled).tolist(),
            patches=len(patches),
            **scores,
        )

    def _silence(self) -> Meaning:
        """Defined values for silence; its embedding is the network's own answer to it."""
        pooled = pooled_of(self._network, np.zeros((1, FRAMES, BANDS), np.float32))
        return Meaning(
            model=self._model.name,
            version=self._model.version,
            tags=dict.fromkeys(self._model.tags, 0.0),
            genre=None,
            genre_confidence=0.0,
            embedding=embedding_of(self._network, pooled).tolist(),
            patches=0,
            **{name: derive.silent_score(name) for name in SCORES},
        )


def embedding_of(network: Network, pooled: Array) -> Array:
    """Pooled values of patches, (p, 2, d), as one unit vector, (e,): of MSD e = 420.

    Their mean is standardised by what the model learned of each in training, so that no music of
    ours decides what is average; dimensions that never varied there are left out, outliers bounded.
    """
    varying = network.pooled_deviation > _CONSTANT
    standard = (pooled.mean(axis=0) - network.pooled_mean)[varying]
    standard = np.clip(standard / network.pooled_deviation[varying], -_BOUND, _BOUND)
    return np.asarray(standard / np.linalg.norm(standard), np.float32)
