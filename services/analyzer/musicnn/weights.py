"""Reads the weights of the installed package, once a process."""

from functools import lru_cache

from services.analyzer.musicnn.checkpoint import UnreadableCheckpoint, read_checkpoint
from services.analyzer.musicnn.models import PACKAGE, Model
from services.analyzer.musicnn.package import WeightsAbsent, folder_of
from services.analyzer.musicnn.pruning import Network, pruned

_TRAINING = ("Adam", "beta1_power", "beta2_power")


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


def _is_no_training_state(name: str) -> bool:
    return not any(part in name for part in _TRAINING)
