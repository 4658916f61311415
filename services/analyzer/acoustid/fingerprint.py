"""Chromaprint fingerprints, where the system has the library `libchromaprint`."""

from __future__ import annotations  # numpy is imported for the types only: see worker.py

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

try:
    import chromaprint
except ImportError:  # pyacoustid is installed, the system's library is not
    chromaprint = None

FINGERPRINT_RATE_HZ = 11_025  # Chromaprint's internal sample rate
_MIN_S = 3
UNAVAILABLE = (
    "no fingerprints: the system has no libchromaprint (Debian and Ubuntu: apt-get install"
    " libchromaprint1)"
)


def is_available() -> bool:
    """Whether this host can compute fingerprints."""
    return chromaprint is not None


def fingerprint_of(pcm: NDArray[np.int16]) -> str | None:
    """The fingerprint of mono samples at 11,025 Hz, (n,).

    None without the library, or for less than three seconds: below some 2.6 s Chromaprint returns
    the code of nothing, which is no fingerprint of this sound.
    """
    if chromaprint is None or len(pcm) < _MIN_S * FINGERPRINT_RATE_HZ:
        return None
    fingerprinter = chromaprint.Fingerprinter()
    fingerprinter.start(FINGERPRINT_RATE_HZ, 1)
    fingerprinter.feed(pcm.tobytes())
    fingerprint: bytes | str = fingerprinter.finish()
    return fingerprint.decode() if isinstance(fingerprint, bytes) else fingerprint
