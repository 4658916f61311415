"""Chromaprint fingerprints, where the system has the library `libchromaprint`."""

from __future__ import annotations  # numpy is named here, and loaded where there is sound

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

try:
    import chromaprint
except ImportError:  # the module is there, the system's library is not
    chromaprint = None

FINGERPRINT_RATE_HZ = 11_025  # what Chromaprint works with
NOTICE = (
    "no fingerprints: the system has no libchromaprint (Debian and Ubuntu: apt-get install"
    " libchromaprint1)"
)


def is_available() -> bool:
    """Whether fingerprints can be computed here."""
    return chromaprint is not None


def fingerprint_of(pcm: NDArray[np.int16]) -> str | None:
    """The fingerprint of the first 120 s, mono at 11,025 Hz; None where there is no library."""
    if chromaprint is None or len(pcm) < FINGERPRINT_RATE_HZ:
        return None
    printer = chromaprint.Fingerprinter()
    printer.start(FINGERPRINT_RATE_HZ, 1)
    printer.feed(pcm.tobytes())
    made: bytes | str = printer.finish()
    return made.decode() if isinstance(made, bytes) else made
