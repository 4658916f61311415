"""What defines a trained model, and where its weights are installed.

The weights are found in the installed `musicnn` package without importing it, which would import
TensorFlow. The service's own process imports this module, so it does not import numpy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = "musicnn"
"""Weights of several models of one architecture (Pons and Serra, "musicnn: pre-trained
convolutional neural networks for music audio tagging", 2019)."""


class WeightsAbsent(Exception):
    """A model's weights are not installed or not readable; the message says what to do about it."""


@dataclass(frozen=True)
class Scale:
    """One of our scales (moods, energy, ...) as a sum of the model's tags.

    Attributes:
        more: tags that count for it, each alike.
        less: tags that count against it, each alike.
        worth: 0..1, how well it orders music at all; the upper bound of its confidence.
    """

    more: tuple[str, ...]
    less: tuple[str, ...]
    worth: float


@dataclass(frozen=True)
class Reference:
    """The model's output for reference music: standardised by it, scores mean the same everywhere.

    Attributes:
        tags: for each tag mean and standard deviation of the tracks' logits, and its mean
            probability.
        scales: for each scale the standard deviation of its sum, whose mean is 0.
    """

    tags: Mapping[str, tuple[float, float, float]]
    scales: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Model:
    """Trained weights, and what their outputs mean.

    Attributes:
        name: `Meaning.model`.
        version: `Meaning.version`. Raise it with every change of patches, scales or reference.
        folder: of the checkpoint within the package.
        dimensions: length of its embedding.
        tags: the outputs, in their order.
        scales: one for each name in `shared.contracts.meaning.SCORES`.
        genres: the tags that make up each genre.
        reference: see `Reference`.
        dead_below: a filter is dead, its output constant, if all its weights are smaller.
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


def checkpoint_folder(model: Model) -> Path:
    """The folder of the model's checkpoint in the installed package.

    Raises:
        WeightsAbsent: the package is not installed.
    """
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        raise WeightsAbsent(
            f"the package {PACKAGE} with the trained weights is not installed: "
            f"genre, moods and the embedding stay empty until it is (make install, or "
            f"pip install --no-deps {PACKAGE}==0.1.0)"
        ) from None
    return Path(str(installed.locate_file(f"{PACKAGE}/{model.folder}")))
