"""Digests of ranges of a library's files, in the order of their paths. Pure.

The gateway computes the digests of the files that it knows (`services/api/store/files/known.py`),
the extractor those of the files on the disk. Where both are equal, no single file is compared.
"""

import hashlib
import struct
from collections.abc import Sequence

_SEPARATOR = "//"  # no path contains it


def digest_of(
    paths: Sequence[str],
    sizes_bytes: Sequence[int],
    mtimes_ns: Sequence[int],
    images_digests: Sequence[int],
) -> str:
    """SHA-256 in hex of columns of equal length.

    Of the paths in UTF-8 with `//` between them, then all sizes and all times as big-endian 64 bit
    integers, then all digests of images (0 where unknown) as 32 bit ones.
    """
    files = len(paths)
    digest = hashlib.sha256(_SEPARATOR.join(paths).encode(), usedforsecurity=False)
    digest.update(struct.pack(f">{files}q", *sizes_bytes))
    digest.update(struct.pack(f">{files}q", *mtimes_ns))
    digest.update(struct.pack(f">{files}i", *images_digests))
    return digest.hexdigest()
