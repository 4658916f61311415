"""From a model's logits to scores that mean the same in every library. Pure.

A tag's probability tells as much about how often people write the tag as about the music: happy
never exceeds a hundredth. So logits are standardised by what the model says of reference music,
tags are added up to scales, and a score is the share of the reference music that has less.
"""

from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from services.analyzer.musicnn.models import Model
from shared.contracts.meaning import Score

Array = NDArray[np.float32]

_LEAST_DOUBT = 0.3
"""In deviations: what other patches of the track might have said."""
_QUIET = ("energy", "arousal")


def probabilities(logits: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def tags_of(model: Model, logits: Array) -> dict[str, float]:
    """Mean probability of each tag over the patches; logits (p, tags)."""
    means = probabilities(logits).mean(axis=0)
    return dict(zip(model.tags, means.tolist(), strict=True))


def sum_of(model: Model, name: str, logits: Array) -> Array:
    """What each patch or track adds up to on a scale, before its deviation is divided by.

    From logits (n, tags) to (n,).
    """
    scale = model.scales[name]
    return _mean_of(model, scale.more, logits) - _mean_of(model, scale.less, logits)


def score_of(model: Model, name: str, logits: Array) -> Score:
    """A track's score on a scale, from the logits of its patches, (p, tags).

    The reference is taken as normally distributed. The confidence is what the scale is worth times
    how surely the track stands on its side of the middle, given how much its patches differ.
    """
    values = sum_of(model, name, logits) / model.reference.scales[name]
    mean = float(values.mean())
    doubt = sqrt(_LEAST_DOUBT**2 + float(values.var()) / len(values))
    sure = 2 * _below(abs(mean) / doubt) - 1
    return Score(score=_below(mean), confidence=model.scales[name].worth * sure)


def silent_score(name: str) -> Score:
    """The score of silence: nothing is known, but that it has no energy."""
    return Score(score=0.0 if name in _QUIET else 0.5, confidence=0.0)


def genre_of(model: Model, tags: dict[str, float]) -> tuple[str, float]:
    """The genre with the most evidence, and its share of all evidence, 0..1.

    The evidence of a tag is its probability over the root of its mean probability over the
    reference music: half of what is rare about it counts, or all would be rock.
    """
    evidence = {
        genre: max(tags[tag] / sqrt(model.reference.tags[tag][2]) for tag in parts)
        for genre, parts in model.genres.items()
    }
    best = max(evidence, key=lambda genre: evidence[genre])
    return best, evidence[best] / sum(evidence.values())


def _mean_of(model: Model, names: tuple[str, ...], logits: Array) -> Array:
    columns = [model.tags.index(name) for name in names]
    means, deviations = np.asarray([model.reference.tags[name][:2] for name in names]).T
    return np.asarray(((logits[:, columns] - means) / deviations).mean(axis=1), np.float32)


def _below(deviations: float) -> float:
    """The share of a normal distribution that is below."""
    return 0.5 * (1 + erf(deviations / sqrt(2)))
