"""Finds the weights in the installed `musicnn` package, without importing it.

Importing it would import TensorFlow, which is not there.
"""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from services.analyzer.musicnn.checkpoint import UnreadableCheckpoint, read_checkpoint
from services.analyzer.musicnn.models import PACKAGE, Model
from services.analyzer.musicnn.pruning import Network, pruned

_TRAINING = ("Adam", "beta1_power", "beta2_power")


class WeightsAbsent(Exception):
    """A model's weights are not here or not readable; the message says what to do about it."""


@lru_cache(maxsize=2)
def load(model: Model) -> Network:
    """The model's network, read and pruned once a process: some 8 ms, 1.5 MB.

    Raises:
        WeightsAbsent: the package is not installed, or damaged.
    """
    try:
        tensors = read_checkpoint(folder_of(model), wanted=_is_no_training_state)
        return pruned(tensors, dead_below=model.dead_below)
    except (OSError, UnreadableCheckpoint, KeyError) as error:
        raise WeightsAbsent(
            f"the weights in the package {PACKAGE} cannot be read ({error}): install it anew"
        ) from error


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


def _is_no_training_state(name: str) -> bool:
    return not any(part in name for part in _TRAINING)
