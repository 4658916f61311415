"""From a checkpoint's tensors to the small network that gives the same answers. Pure.

Weight decay has driven most of the front end's filters to nothing: what they put out is a
constant. They are left out, and what their constants bring to the next layers is folded into those
layers' offsets. It enters through a convolution padded with zeros, so at the edges of the patch it
counts for less: such an offset is a matrix over time.

Batch normalisation (epsilon .001) becomes a scale and a shift behind the activation.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.musicnn.checkpoint import Tensors

FRAMES = 187
BANDS = 96
REACH = 3
"""A kernel of 7 frames sees so many before and behind."""
Array = NDArray[np.float32]

_EPSILON = 1e-3
_TIMES = 16
"""At so many frames one product has a temporal filter's output."""
_TIMBRAL, _TEMPORAL = range(2), range(2, 5)


@dataclass(frozen=True)
class Affine:
    """`values * scale + shift`, channel by channel."""

    scale: Array
    shift: Array

    def __call__(self, values: Array) -> Array:
        """The values, (..., channels), put through it."""
        return values * self.scale + self.shift


@dataclass(frozen=True)
class Front:
    """Filters on the spectrogram, of which only the extreme output over the bands counts.

    Attributes:
        kernel: (frames, bands, c). That of filters with a negative scale is negated: of them the
            smallest output counts, which is the largest of the negated.
        sign: -1 for those, else 1, (c,).
        bias: (c,). after: batch normalisation.
    """

    kernel: Array
    sign: Array
    bias: Array
    after: Affine

    @cached_property
    def spectra(self) -> NDArray[np.complex64]:
        """Of the kernel over the bands, conjugated: it is correlated; (49, c, frames)."""
        found = np.conj(rfft(self.kernel, BANDS, axis=1)).transpose(1, 2, 0)
        return np.ascontiguousarray(found)

    @cached_property
    def at_frames(self) -> Array:
        """The kernel, of one band, at 16 frames one after the other, (15 + frames, 16 c)."""
        frames, _, count = self.kernel.shape
        times = np.zeros((_TIMES + frames - 1, _TIMES, count), np.float32)
        for time in range(_TIMES):
            times[time : time + frames, time] = self.kernel[:, 0]
        return times.reshape(len(times), -1)


@dataclass(frozen=True)
class Middle:
    """A convolution over 7 frames, (7, c in, 64), and batch normalisation behind it.

    `offset`, (187, 64), holds the bias and what constant channels bring in.
    """

    kernel: Array
    offset: Array
    after: Affine


@dataclass(frozen=True)
class Network:
    """All that the forward pass needs; d pooled channels are left of 753.

    Attributes:
        before: normalisation of the log-mel patch, of one channel.
        timbral, temporal: the front end.
        middle: the three convolutions behind it.
        pooled_mean, pooled_deviation: of the largest and the mean value of each channel over the
            music that the model was trained on, as its normalisation learned them, (2, d).
        hidden, hidden_bias: from the pooled values, (2, d, 200), (200,).
        after_hidden: its normalisation.
        output, output_bias: to the tags' logits, (200, 50), (50,).
    """

    before: Affine
    timbral: tuple[Front, ...]
    temporal: tuple[Front, ...]
    middle: tuple[Middle, ...]
    pooled_mean: Array
    pooled_deviation: Array
    hidden: Array
    hidden_bias: Array
    after_hidden: Affine
    output: Array
    output_bias: Array


def pruned(tensors: Tensors, *, dead_below: float) -> Network:
    """The network of a checkpoint, without the filters that have no weight above `dead_below`.

    Raises:
        KeyError: the checkpoint is of another architecture.
    """
    found = [_constants(tensors, n, dead_below) for n in (*_TIMBRAL, *_TEMPORAL)]
    live, constant = (np.concatenate(column) for column in zip(*found, strict=True))
    gain, kernel = _normalisation(tensors, 9), tensors["dense/kernel"]
    folded = _by_kind(gain.scale[:, None] * kernel)
    fixed = np.where(live, 0, constant)  # a constant is its own largest and its own mean
    varying = np.ones(folded.shape[1], bool)
    varying[: len(live)] = live
    mean, variance = (_by_kind(tensors[_norm(9, name)]) for name in ("mean", "variance"))
    return Network(
        before=_normalisation(tensors, 0),
        timbral=tuple(_front(tensors, n, dead_below) for n in _TIMBRAL),
        temporal=tuple(_front(tensors, n, dead_below) for n in _TEMPORAL),
        middle=(_first_middle(tensors, live, fixed), _middle(tensors, 6), _middle(tensors, 7)),
        pooled_mean=mean[:, varying],
        pooled_deviation=np.sqrt(variance[:, varying]),
        hidden=folded[:, varying],
        hidden_bias=tensors["dense/bias"]
        + gain.shift @ kernel
        + fixed @ folded[:, : len(fixed)].sum(axis=0),
        after_hidden=_normalisation(tensors, 10),
        output=tensors["dense_1/kernel"],
        output_bias=tensors["dense_1/bias"],
    )


def _by_kind(pooled: Array) -> Array:
    """Largest and mean of each channel alternate when flattened: from (2 c, ...) to (2, c, ...)."""
    return np.ascontiguousarray(np.stack([pooled[0::2], pooled[1::2]]))


def _norm(n: int, name: str) -> str:
    names = {"mean": "moving_mean", "variance": "moving_variance"}
    return f"batch_normalization{f'_{n}' if n else ''}/{names.get(name, name)}"


def _normalisation(tensors: Tensors, n: int) -> Affine:
    mean, variance, gamma, beta = (
        tensors[_norm(n, name)] for name in ("mean", "variance", "gamma", "beta")
    )
    scale = gamma / np.sqrt(variance + np.float32(_EPSILON))
    return Affine(scale, beta - mean * scale)


def _convolution(tensors: Tensors, n: int) -> tuple[Array, Array]:
    name = f"conv2d_{n}" if n else "conv2d"
    return tensors[f"{name}/kernel"], tensors[f"{name}/bias"]


def _live(kernel: Array, dead_below: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(kernel).max(axis=(0, 1, 2)) > dead_below)


def _constants(tensors: Tensors, n: int, dead_below: float) -> tuple[NDArray[np.bool_], Array]:
    """Of a front-end layer's filters: which are live, and what each puts out where it is not."""
    kernel, bias = _convolution(tensors, n)
    return _live(kernel, dead_below), _normalisation(tensors, n + 1)(np.maximum(bias, 0))


def _front(tensors: Tensors, n: int, dead_below: float) -> Front:
    kernel, bias = _convolution(tensors, n)
    after = _normalisation(tensors, n + 1)
    live = _live(kernel, dead_below)
    sign = np.where(after.scale[live] < 0, -1, 1).astype(np.float32)
    return Front(
        kernel=kernel[:, :, 0, live] * sign,
        sign=sign,
        bias=bias[live],
        after=Affine(after.scale[live], after.shift[live]),
    )


def _middle(tensors: Tensors, n: int) -> Middle:
    kernel, bias = _convolution(tensors, n)
    return Middle(
        kernel=np.ascontiguousarray(kernel[:, :, 0]),
        offset=np.tile(bias, (FRAMES, 1)),
        after=_normalisation(tensors, n + 1),
    )


def _first_middle(tensors: Tensors, live: NDArray[np.bool_], fixed: Array) -> Middle:
    """The convolution over the front end's channels, of which only the live ones are computed."""
    whole = _middle(tensors, 5)
    brought = fixed @ whole.kernel  # (7, 64): by each frame of the kernel
    times = np.arange(FRAMES)
    offset = whole.offset.copy()
    for step in range(2 * REACH + 1):
        seen = times + step - REACH
        offset[(seen >= 0) & (seen < FRAMES)] += brought[step]
    return Middle(np.ascontiguousarray(whole.kernel[:, live]), offset, whole.after)
