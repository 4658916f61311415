"""Stretches of a library's files in the order of their paths, told by a digest. Pure.

The gateway tells the digest of what it knows (`services/api/store/files/known.py` works it out in
SQL), the extractor has that of what it sees: where both are one, no file is looked at by itself.
"""

import hashlib
import struct
from collections.abc import Sequence

_BETWEEN = "//"  # no path has it
DIGEST_HEX_DIGITS = 64


def digest_of(
    paths: Sequence[str],
    sizes_bytes: Sequence[int],
    mtimes_ns: Sequence[int],
    images_digests: Sequence[int],
) -> str:
    """SHA-256 in hex of columns of equal length.

    Of the paths in UTF-8 with `//` between them, then all sizes, then all times, each as 8 bytes
    with the high ones first, then all digests of images (0 where unknown) as 4 bytes.
    """
    files = len(paths)
    told = hashlib.sha256(_BETWEEN.join(paths).encode(), usedforsecurity=False)
    told.update(struct.pack(f">{files}q", *sizes_bytes))
    told.update(struct.pack(f">{files}q", *mtimes_ns))
    told.update(struct.pack(f">{files}i", *images_digests))
    return told.hexdigest()
