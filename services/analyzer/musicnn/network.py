"""The network: its layers, and the forward pass in numpy. Pure.

A convolutional front end (timbral and temporal filters on the log-mel patch), three convolutions
over time, pooling over time, and two dense layers. All sizes are small and fixed, so each
convolution is written as the matrix products that fit the cache best: five times faster than
unfolding whole patches.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

FRAMES = 187
"""Frames of a patch."""
BANDS = 96
REACH = 3
"""Frames before and after a frame that a kernel of 7 frames takes in."""
_FRAMES_PER_PRODUCT = 16
"""Frames for which one matrix product computes the output of a temporal filter."""
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Affine:
    """`values * scale + shift`, channel by channel."""

    scale: Array
    shift: Array

    def __call__(self, values: Array) -> Array:
        """Transform values, (..., channels)."""
        return values * self.scale + self.shift


@dataclass(frozen=True)
class FrontEnd:
    """Filters on the patch, of whose outputs over the bands only the extreme one counts.

    Attributes:
        kernel: (frames, bands, c). It is negated for filters with a negative scale: of these the
            smallest output counts, which is the largest one of the negated filter.
        sign: -1 for those, else 1, (c,).
        bias: (c,).
        after: batch normalisation.
    """

    kernel: Array
    sign: Array
    bias: Array
    after: Affine

    @cached_property
    def spectra(self) -> NDArray[np.complex64]:
        """The kernel's spectrum over the bands, (49, c, frames); conjugated, for a correlation."""
        spectra = np.conj(rfft(self.kernel, BANDS, axis=1)).transpose(1, 2, 0)
        return np.ascontiguousarray(spectra)

    @cached_property
    def shifted(self) -> Array:
        """The kernel, of one band, at 16 successive frames, (15 + frames, 16 c)."""
        frames, _, count = self.kernel.shape
        times = _FRAMES_PER_PRODUCT
        shifted = np.zeros((times + frames - 1, times, count), np.float32)
        for time in range(times):
            shifted[time : time + frames, time] = self.kernel[:, 0]
        return shifted.reshape(len(shifted), -1)


@dataclass(frozen=True)
class Convolution:
    """A convolution over 7 frames, and the batch normalisation after it.

    Attributes:
        kernel: (7, c in, 64).
        offset: the bias, and what constant input channels add, (187, 64).
        after: batch normalisation.
    """

    kernel: Array
    offset: Array
    after: Affine


@dataclass(frozen=True)
class Network:
    """All weights of the forward pass, with d pooled channels left of 753.

    Attributes:
        before: normalisation of the patch, of one channel.
        timbral, temporal: the front end.
        convolutions: the three behind it.
        pooled_mean, pooled_deviation: mean and standard deviation of each channel's maximum and
            mean, over the music of the training, as batch normalisation learned them, (2, d).
        hidden, hidden_bias: first dense layer, (2, d, 200), (200,).
        after_hidden: its normalisation.
        output, output_bias: second dense layer, to the tags' logits, (200, 50), (50,).
    """

    before: Affine
    timbral: tuple[FrontEnd, ...]
    temporal: tuple[FrontEnd, ...]
    convolutions: tuple[Convolution, ...]
    pooled_mean: Array
    pooled_deviation: Array
    hidden: Array
    hidden_bias: Array
    after_hidden: Affine
    output: Array
    output_bias: Array


def pooled_of(network: Network, patches: Array) -> Array:
    """Maximum and mean over time of all channels that vary, from (p, 187, 96) to (p, 2, d).

    Args:
        network: the weights.
        patches: log-mel patches, float32.
    """
    return np.stack([_pooled(network, network.before(patch)) for patch in patches])


def logits_of(network: Network, pooled: Array) -> Array:
    """The tags' logits, from (p, 2, d) to (p, tags)."""
    hidden = np.tensordot(pooled, network.hidden, axes=2) + network.hidden_bias
    hidden = network.after_hidden(np.maximum(hidden, 0))
    return np.asarray(hidden @ network.output + network.output_bias, np.float32)


def _pooled(network: Network, patch: Array) -> Array:
    """Maximum and mean over time of all channels that vary, (2, d)."""
    spectra = _patch_spectra(patch)
    front = np.concatenate(
        [_timbral(layer, spectra) for layer in network.timbral]
        + [_temporal(layer, patch) for layer in network.temporal],
        axis=1,
    )
    first, second, third = network.convolutions
    one = _convolve(first, front)
    two = _convolve(second, one) + one
    three = _convolve(third, two) + two
    channels = np.concatenate([front, one, two, three], axis=1)
    return np.stack([channels.max(axis=0), channels.mean(axis=0)])


def _timbral(layer: FrontEnd, spectra: NDArray[np.complex64]) -> Array:
    """The largest output over the bands, from `_patch_spectra` to (187, c).

    Across the bands the convolution is a product of spectra: a twelfth of the multiplications.
    """
    outputs = irfft(layer.spectra @ spectra, BANDS, axis=0, overwrite_x=True)
    valid = BANDS - layer.kernel.shape[1] + 1  # at the other bands the kernel is wrapped around
    return _activated(layer, outputs[:valid].max(axis=0).T)


def _patch_spectra(patch: Array) -> NDArray[np.complex64]:
    """The spectrum over the bands of the 7 frames around each frame, (49, 7, 187)."""
    spectra = rfft(np.pad(patch, ((REACH, REACH), (0, 0))), axis=1)
    windows = sliding_window_view(spectra, FRAMES, axis=0)
    return np.ascontiguousarray(windows.transpose(1, 0, 2))


def _temporal(layer: FrontEnd, patch: Array) -> Array:
    """The largest output over the bands, from (187, 96) to (187, c), padded to the same length."""
    frames, _, count = layer.kernel.shape
    window = len(layer.shifted)
    block = window - frames + 1
    blocks = -(-FRAMES // block)
    before = (frames - 1) // 2  # TensorFlow's SAME: an odd padding has one more behind
    padded = np.zeros((BANDS, blocks * block + frames - 1), np.float32)
    padded[:, before : before + FRAMES] = patch.T
    largest = [
        (padded[:, start : start + window] @ layer.shifted).max(axis=0)
        for start in range(0, blocks * block, block)
    ]
    return _activated(layer, np.concatenate(largest).reshape(-1, count)[:FRAMES])


def _activated(layer: FrontEnd, largest: Array) -> Array:
    """Bias, ReLU and normalisation, after the maximum: they keep the order, or reverse it."""
    return layer.after(np.maximum(largest * layer.sign + layer.bias, 0))


def _convolve(layer: Convolution, values: Array) -> Array:
    """A convolution over 7 frames, padded with zeros, from (187, c in) to (187, 64)."""
    windows = sliding_window_view(np.pad(values, ((REACH, REACH), (0, 0))), FRAMES, axis=0)
    unfolded = windows.transpose(2, 0, 1).reshape(FRAMES, -1)  # (187, 7 c)
    kernel = layer.kernel.reshape(-1, layer.kernel.shape[2])
    return layer.after(np.maximum(unfolded @ kernel + layer.offset, 0))
