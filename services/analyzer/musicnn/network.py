"""The forward pass, in numpy. Pure.

All sizes are small and fixed, so each convolution is laid out as the products that fit the cache
best; that is five times quicker than unfolding whole patches.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from services.analyzer.musicnn.pruning import BANDS, FRAMES, REACH, Front, Middle, Network

Array = NDArray[np.float32]


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
    spectra = _spectra_of(patch)
    front = np.concatenate(
        [_timbral(layer, spectra) for layer in network.timbral]
        + [_temporal(layer, patch) for layer in network.temporal],
        axis=1,
    )
    first, second, third = network.middle
    one = _middle(first, front)
    two = _middle(second, one) + one
    three = _middle(third, two) + two
    channels = np.concatenate([front, one, two, three], axis=1)
    return np.stack([channels.max(axis=0), channels.mean(axis=0)])


def _timbral(layer: Front, spectra: NDArray[np.complex64]) -> Array:
    """The largest output over the bands, from `_spectra_of` to (187, c).

    Across the bands a convolution is a product of spectra (a twelfth of the multiplications).
    """
    outputs = irfft(layer.spectra @ spectra, BANDS, axis=0, overwrite_x=True)
    places = BANDS - layer.kernel.shape[1] + 1  # at the others the kernel is wrapped around
    return _activated(layer, outputs[:places].max(axis=0).T)


def _spectra_of(patch: Array) -> NDArray[np.complex64]:
    """Of each frame over its bands, from (187, 96) to (49, 7, 187): 7 frames for each one."""
    spectra = rfft(np.pad(patch, ((REACH, REACH), (0, 0))), axis=1)
    seen = sliding_window_view(spectra, FRAMES, axis=0)
    return np.ascontiguousarray(seen.transpose(1, 0, 2))


def _temporal(layer: Front, patch: Array) -> Array:
    """The largest output over the bands: from (187, 96) to (187, c), padded to the same length.

    The kernel at a block of frames at once: one product with the frames that they see.
    """
    frames, _, count = layer.kernel.shape
    seen = len(layer.at_frames)
    block = seen - frames + 1
    blocks = -(-FRAMES // block)
    before = (frames - 1) // 2  # TensorFlow's SAME: of an odd number, the one more is behind
    padded = np.zeros((BANDS, blocks * block + frames - 1), np.float32)
    padded[:, before : before + FRAMES] = patch.T
    found = [
        (padded[:, start : start + seen] @ layer.at_frames).max(axis=0)
        for start in range(0, blocks * block, block)
    ]
    return _activated(layer, np.concatenate(found).reshape(-1, count)[:FRAMES])


def _activated(layer: Front, largest: Array) -> Array:
    """Bias, ReLU and normalisation behind the maximum: they keep its order, or reverse it."""
    return layer.after(np.maximum(largest * layer.sign + layer.bias, 0))


def _middle(layer: Middle, values: Array) -> Array:
    """A convolution over 7 frames, padded with zeros: from (187, c in) to (187, 64)."""
    windows = sliding_window_view(np.pad(values, ((REACH, REACH), (0, 0))), FRAMES, axis=0)
    unfolded = windows.transpose(2, 0, 1).reshape(FRAMES, -1)  # (187, 7 c)
    kernel = layer.kernel.reshape(-1, layer.kernel.shape[2])
    return layer.after(np.maximum(unfolded @ kernel + layer.offset, 0))
