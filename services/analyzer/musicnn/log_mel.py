"""From sound to what the network reads: log-mel patches of three seconds. Pure.

As the model was trained: 16 kHz mono, FFT of 512 with Hann's window, a hop of 256, the power in 96
bands of Slaney's mel scale (Auditory Toolbox, 1998), area-normalised, then log10(10,000 x + 1) in
float32: in float16, as the package has it, loud music overflows.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from services.analyzer.musicnn.pruning import BANDS, FRAMES

Array = NDArray[np.float32]

RATE_HZ = 16_000
_SIZE = 512
_HOP = 256
PATCH_SAMPLES = (FRAMES - 1) * _HOP + _SIZE
"""Samples that a patch sees: 48,128, three seconds."""

_KNEE_HZ, _STEP_HZ, _LOG_STEP = 1_000.0, 200.0 / 3, np.log(6.4) / 27.0
"""Slaney's scale is even below the knee and logarithmic above."""


def log_mel(slices: Array) -> Array:
    """Patches of slices of sound: float32, from (p, 48128) to (p, 187, 96)."""
    frames = sliding_window_view(slices, _SIZE, axis=1)[:, ::_HOP]
    spectra = rfft(frames * _window(), axis=2)
    power = spectra.real**2
    power += spectra.imag**2
    bands = power @ _filters()
    bands *= np.float32(10_000)
    bands += np.float32(1)
    return np.asarray(np.log(bands) * np.float32(1 / np.log(10)), np.float32)  # quicker than log10


@lru_cache(maxsize=1)
def _window() -> Array:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)).astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> Array:
    """Triangles, (257, 96)."""
    knee = _KNEE_HZ / _STEP_HZ
    highest = knee + np.log(RATE_HZ / 2 / _KNEE_HZ) / _LOG_STEP
    mels = np.linspace(0.0, highest, BANDS + 2)
    edges = np.where(mels < knee, mels * _STEP_HZ, _KNEE_HZ * np.exp(_LOG_STEP * (mels - knee)))
    bins = np.fft.rfftfreq(_SIZE, 1 / RATE_HZ)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 / (edges[2:] - edges[:-2]), np.float32)
