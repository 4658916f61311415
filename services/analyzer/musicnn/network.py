"""The forward pass, in numpy. Pure.

All sizes are small and fixed, so each convolution is laid out as the matrix product that fits the
cache best; that is three times quicker than unfolding whole patches.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.analyzer.musicnn.pruning import BANDS, FRAMES, REACH, Front, Middle, Network

Array = NDArray[np.float32]

_BLOCK = 24  # frames of output that one product of a temporal layer gives


def pooled_of(network: Network, patches: Array) -> Array:
    """Largest and mean value over time of all channels that vary.

    From log-mel patches, float32, (p, 187, 96), to (p, 2, d).
    """
    return np.stack([_pooled(network, network.before(patch)) for patch in patches])


def logits_of(network: Network, pooled: Array) -> Array:
    """The tags' logits of patches, from (p, 2, d) to (p, tags)."""
    hidden = np.tensordot(pooled, network.hidden, axes=2) + network.hidden_bias
    hidden = network.after_hidden(np.maximum(hidden, 0))
    return np.asarray(hidden @ network.output + network.output_bias, np.float32)


def _pooled(network: Network, patch: Array) -> Array:
    """Largest and mean value over time of all channels that vary, (2, d)."""
    bands_first = np.ascontiguousarray(np.pad(patch, ((REACH, REACH), (0, 0))).T)
    front = np.concatenate(
        [_timbral(layer, bands_first) for layer in network.timbral]
        + [_temporal(layer, patch) for layer in network.temporal],
        axis=1,
    )
    first, second, third = network.middle
    one = _middle(first, front)
    two = _middle(second, one) + one
    three = _middle(third, two) + two
    channels = np.concatenate([front, one, two, three], axis=1)
    return np.stack([channels.max(axis=0), channels.mean(axis=0)])


def _timbral(layer: Front, padded: Array) -> Array:
    """The largest output over the bands: from (96, 187 + 6) to (187, c).

    One product gives what each of the kernel's 7 frames adds; they are added up shifted.
    """
    frames, bands, count = layer.kernel.shape
    places = BANDS - bands + 1
    length = padded.shape[1]
    windows = sliding_window_view(padded, places, axis=0).transpose(0, 2, 1)  # (bands, places, t)
    kernel = layer.kernel.transpose(0, 2, 1).reshape(frames * count, bands)
    parts = (kernel @ windows.reshape(bands, places * length)).reshape(
        frames, count, places, length
    )
    total = parts[0, :, :, :FRAMES].copy()
    for shift in range(1, frames):
        total += parts[shift, :, :, shift : shift + FRAMES]
    return _activated(layer, total.max(axis=1).T)


def _temporal(layer: Front, patch: Array) -> Array:
    """The largest output over the bands: from (187, 96) to (187, c), padded to the same length.

    A block of frames at a time, as the product of a band matrix with the frames it sees.
    """
    frames, _, count = layer.kernel.shape
    blocks = -(-FRAMES // _BLOCK)
    before = (frames - 1) // 2  # TensorFlow's SAME: of an odd number, the one more is behind
    padded = np.zeros((blocks * _BLOCK + frames - 1, BANDS), np.float32)
    padded[before : before + FRAMES] = patch
    band = np.zeros((count, _BLOCK, _BLOCK + frames - 1), np.float32)
    for row in range(_BLOCK):
        band[:, row, row : row + frames] = layer.kernel[:, 0].T
    band = band.reshape(count * _BLOCK, -1)
    found = [
        (band @ padded[start : start + band.shape[1]]).reshape(count, _BLOCK, BANDS).max(axis=2)
        for start in range(0, blocks * _BLOCK, _BLOCK)
    ]
    return _activated(layer, np.concatenate(found, axis=1)[:, :FRAMES].T)


def _activated(layer: Front, largest: Array) -> Array:
    """Bias, ReLU and normalisation behind the maximum: they keep its order, or reverse it."""
    return layer.after(np.maximum(largest * layer.sign + layer.bias, 0))


def _middle(layer: Middle, values: Array) -> Array:
    """A convolution over 7 frames, padded with zeros: from (187, c in) to (187, 64)."""
    windows = sliding_window_view(np.pad(values, ((REACH, REACH), (0, 0))), FRAMES, axis=0)
    unfolded = windows.transpose(2, 0, 1).reshape(FRAMES, -1)  # (187, 7 c)
    kernel = layer.kernel.reshape(-1, layer.kernel.shape[2])
    return layer.after(np.maximum(unfolded @ kernel + layer.offset, 0))
