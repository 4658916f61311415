"""Loads the weights of a model once a process, without the filters that training left dead.

Weight decay drove most of the front end's filters to zero: their output is a constant. They are
left out, and what their constants add to the next layers is folded into those layers' offsets. It
passes a convolution that is padded with zeros, so it adds less at the edges of the patch: such an
offset is a matrix over time.

Batch normalisation (epsilon .001) becomes a scale and a shift after the activation.

Numbers are the checkpoint's. Of the convolutions 0 and 1 are timbral, 2 to 4 temporal, 5 to 7 the
ones behind the front end. Normalisation 0 is that of the patch, n + 1 that of convolution n.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.analyzer.musicnn.checkpoint import Tensors, UnreadableCheckpoint, read_checkpoint
from services.analyzer.musicnn.models import PACKAGE, Model, WeightsAbsent, checkpoint_folder
from services.analyzer.musicnn.network import (
    FRAMES,
    REACH,
    Affine,
    Convolution,
    FrontEnd,
    Network,
)

Array = NDArray[np.float32]

_OPTIMISER_STATE = ("Adam", "beta1_power", "beta2_power")
_EPSILON = 1e-3
_TIMBRAL, _TEMPORAL = range(2), range(2, 5)


@lru_cache(maxsize=2)
def load(model: Model) -> Network:
    """The model's network, read and pruned once a process: some 8 ms, 1.5 MB.

    Raises:
        WeightsAbsent: the package is not installed, or damaged.
    """
    try:
        tensors = read_checkpoint(checkpoint_folder(model), wanted=_is_weight)
        return prune(tensors, dead_below=model.dead_below)
    except (OSError, UnreadableCheckpoint, KeyError) as error:
        raise WeightsAbsent(
            f"the weights in the package {PACKAGE} cannot be read ({error}): install it anew"
        ) from error


def _is_weight(name: str) -> bool:
    return not any(part in name for part in _OPTIMISER_STATE)


def prune(tensors: Tensors, *, dead_below: float) -> Network:
    """The network of a checkpoint without its dead filters.

    Args:
        tensors: of the checkpoint, by name.
        dead_below: a filter is dead if all its weights are smaller.

    Raises:
        KeyError: the checkpoint is of another architecture.
    """
    front = [_dead_outputs(tensors, n, dead_below) for n in (*_TIMBRAL, *_TEMPORAL)]
    is_live, outputs = (np.concatenate(column) for column in zip(*front, strict=True))
    gain, kernel = _normalisation(tensors, 9), tensors["dense/kernel"]
    folded = _max_and_mean(gain.scale[:, None] * kernel)
    constants = np.where(is_live, 0, outputs)  # a constant is its own maximum and its own mean
    is_varying = np.ones(folded.shape[1], bool)
    is_varying[: len(is_live)] = is_live
    mean, variance = (_max_and_mean(tensors[_norm(9, name)]) for name in ("mean", "variance"))
    return Network(
        before=_normalisation(tensors, 0),
        timbral=tuple(_front_end(tensors, n, dead_below) for n in _TIMBRAL),
        temporal=tuple(_front_end(tensors, n, dead_below) for n in _TEMPORAL),
        convolutions=(
            _first_convolution(tensors, is_live, constants),
            _convolution(tensors, 6),
            _convolution(tensors, 7),
        ),
        pooled_mean=mean[:, is_varying],
        pooled_deviation=np.sqrt(variance[:, is_varying]),
        hidden=folded[:, is_varying],
        hidden_bias=tensors["dense/bias"]
        + gain.shift @ kernel
        + constants @ folded[:, : len(constants)].sum(axis=0),
        after_hidden=_normalisation(tensors, 10),
        output=tensors["dense_1/kernel"],
        output_bias=tensors["dense_1/bias"],
    )


def _max_and_mean(pooled: Array) -> Array:
    """From (2 c, ...), where maximum and mean of the channels alternate, to (2, c, ...)."""
    return np.ascontiguousarray(np.stack([pooled[0::2], pooled[1::2]]))


def _norm(n: int, name: str) -> str:
    """The name of a batch normalisation's tensor in the checkpoint."""
    names = {"mean": "moving_mean", "variance": "moving_variance"}
    return f"batch_normalization{f'_{n}' if n else ''}/{names.get(name, name)}"


def _normalisation(tensors: Tensors, n: int) -> Affine:
    mean, variance, gamma, beta = (
        tensors[_norm(n, name)] for name in ("mean", "variance", "gamma", "beta")
    )
    scale = gamma / np.sqrt(variance + np.float32(_EPSILON))
    return Affine(scale, beta - mean * scale)


def _kernel_and_bias(tensors: Tensors, n: int) -> tuple[Array, Array]:
    name = f"conv2d_{n}" if n else "conv2d"
    return tensors[f"{name}/kernel"], tensors[f"{name}/bias"]


def _is_live(kernel: Array, dead_below: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(kernel).max(axis=(0, 1, 2)) > dead_below)


def _dead_outputs(tensors: Tensors, n: int, dead_below: float) -> tuple[NDArray[np.bool_], Array]:
    """Which filters of a front-end layer are live, and the output of each if it is dead."""
    kernel, bias = _kernel_and_bias(tensors, n)
    return _is_live(kernel, dead_below), _normalisation(tensors, n + 1)(np.maximum(bias, 0))


def _front_end(tensors: Tensors, n: int, dead_below: float) -> FrontEnd:
    kernel, bias = _kernel_and_bias(tensors, n)
    after = _normalisation(tensors, n + 1)
    is_live = _is_live(kernel, dead_below)
    sign = np.where(after.scale[is_live] < 0, -1, 1).astype(np.float32)
    return FrontEnd(
        kernel=kernel[:, :, 0, is_live] * sign,
        sign=sign,
        bias=bias[is_live],
        after=Affine(after.scale[is_live], after.shift[is_live]),
    )


def _convolution(tensors: Tensors, n: int) -> Convolution:
    kernel, bias = _kernel_and_bias(tensors, n)
    return Convolution(
        kernel=np.ascontiguousarray(kernel[:, :, 0]),
        offset=np.tile(bias, (FRAMES, 1)),
        after=_normalisation(tensors, n + 1),
    )


def _first_convolution(
    tensors: Tensors, is_live: NDArray[np.bool_], constants: Array
) -> Convolution:
    """The convolution over the front end's channels, with the constant ones in its offset."""
    whole = _convolution(tensors, 5)
    added = constants @ whole.kernel  # (7, 64): by each frame of the kernel
    times = np.arange(FRAMES)
    offset = whole.offset.copy()
    for step in range(2 * REACH + 1):
        frame = times + step - REACH
        offset[(frame >= 0) & (frame < FRAMES)] += added[step]
    return Convolution(np.ascontiguousarray(whole.kernel[:, is_live]), offset, whole.after)
