"""From the model's logits to tags, genre and scores that mean the same in every library. Pure.

The probability of a tag depends as much on how often people use the tag as on the music: happy
never exceeds .01. So logits are standardised by the model's output for reference music, tags are
added up to scales, and a score is the share of the reference music that has less.

p counts patches.
"""

from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from services.analyzer.musicnn.models import Model
from shared.contracts.meaning import Score

Array = NDArray[np.float32]

_MIN_DEVIATION = 0.3
"""Standard error of a track's mean at the least: other patches might differ from those taken."""
_ZERO_IN_SILENCE = ("energy", "arousal")


def probabilities(logits: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def tag_probabilities(model: Model, logits: Array) -> dict[str, float]:
    """Mean probability of each tag over the patches.

    Args:
        model: names the tags.
        logits: (p, tags).
    """
    means = probabilities(logits).mean(axis=0)
    return dict(zip(model.tags, means.tolist(), strict=True))


def scale_sums(model: Model, scale: str, logits: Array) -> Array:
    """The sum of a scale's standardised tags, from (n, tags) to (n,); not yet standardised itself.

    Args:
        model: defines the scale.
        scale: its name.
        logits: of patches or tracks.
    """
    tags = model.scales[scale]
    return _standardised_mean(model, tags.more, logits) - _standardised_mean(
        model, tags.less, logits
    )


def score_of(model: Model, scale: str, logits: Array) -> Score:
    """A track's score on a scale.

    The reference music is taken as normally distributed. The confidence is the scale's worth times
    the probability that the track is on its side of the middle, given how much its patches differ.

    Args:
        model: defines the scale.
        scale: its name.
        logits: of the track's patches, (p, tags).
    """
    values = scale_sums(model, scale, logits) / model.reference.scales[scale]
    mean = float(values.mean())
    deviation = sqrt(_MIN_DEVIATION**2 + float(values.var()) / len(values))
    certainty = 2 * _normal_cdf(abs(mean) / deviation) - 1
    return Score(score=_normal_cdf(mean), confidence=model.scales[scale].worth * certainty)


def silent_score(scale: str) -> Score:
    """The score of silence: unknown, except that silence has no energy."""
    return Score(score=0.0 if scale in _ZERO_IN_SILENCE else 0.5, confidence=0.0)


def genre_of(model: Model, tags: dict[str, float]) -> tuple[str, float]:
    """The genre with the most evidence, and its share of all evidence, 0..1.

    The evidence of a tag is its probability over the root of its mean probability in the reference
    music: without any division all music would be rock, and the root counts half of a tag's rarity.
    """
    evidence = {
        genre: max(tags[tag] / sqrt(model.reference.tags[tag][2]) for tag in genre_tags)
        for genre, genre_tags in model.genres.items()
    }
    best = max(evidence, key=lambda genre: evidence[genre])
    return best, evidence[best] / sum(evidence.values())


def _standardised_mean(model: Model, tags: tuple[str, ...], logits: Array) -> Array:
    """Mean of the standardised logits of some tags, (n,)."""
    columns = [model.tags.index(tag) for tag in tags]
    means, deviations = np.asarray([model.reference.tags[tag][:2] for tag in tags]).T
    return np.asarray(((logits[:, columns] - means) / deviations).mean(axis=1), np.float32)


def _normal_cdf(deviations: float) -> float:
    """The share of a standard normal distribution that is below."""
    return 0.5 * (1 + erf(deviations / sqrt(2)))
