"""What is to be told of a trained model: each is a file beside this one, as `msd`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

PACKAGE = "musicnn"
"""Weights of several models, all of one architecture (Pons and Serra, "musicnn: pre-trained
convolutional neural networks for music audio tagging", 2019)."""


@dataclass(frozen=True)
class Scale:
    """One of our scales as a sum of the model's tags.

    Attributes:
        more, less: tags that speak for it and against it, each counting alike within its group.
        worth: 0..1, how well it orders music at all; bounds the confidence.
    """

    more: tuple[str, ...]
    less: tuple[str, ...]
    worth: float


@dataclass(frozen=True)
class Reference:
    """What the model says of reference music, so that scores mean the same everywhere.

    Attributes:
        tags: of each tag the mean and deviation of tracks' logits, and its mean probability.
        scales: of each scale the deviation of its sum; its mean is 0.
    """

    tags: Mapping[str, tuple[float, float, float]]
    scales: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Model:
    """Trained weights, and what their outputs mean.

    Attributes:
        name: as `Meaning.model` tells it. version: as `Meaning.version`; to be raised with any
            change of slices, patches, scales or reference.
        folder: in the package. dimensions: of its embedding.
        tags: what the outputs stand for, in their order.
        scales: by the names in `shared.contracts.meaning.SCORES`, all of them.
        genres: the tags that make up each genre.
        reference: to standardise by.
        dead_below: a filter with no weight larger than this is a constant.
    """

    name: str
    version: str
    folder: str
    dimensions: int
    tags: tuple[str, ...]
    scales: Mapping[str, Scale]
    genres: Mapping[str, tuple[str, ...]]
    reference: Reference
    dead_below: float
