"""Reads what a file holds, by its bytes.

A header can be wrong, and a decoder may stop early without an error: libsndfile decodes only the
first of two joined MP3s. Neither notices bytes that are no audio between two frames. So MP3 frames
and Ogg pages are counted, and what was decoded is compared with that.
"""

import os
from pathlib import PurePath
from typing import BinaryIO

from services.analyzer.decode.extent import bounded_content
from services.analyzer.decode.flac_length import flac_content
from services.analyzer.decode.mpeg_frames import mpeg_content
from services.analyzer.decode.ogg_pages import ogg_content
from services.analyzer.decode.parts import Content, id3v2_size

_MPEG_EXTENSIONS = frozenset({".mp3", ".mp2", ".mp1", ".mpga"})


def content_of(path: bytes) -> Content:
    """Read what a file holds.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        size_bytes = os.fstat(file.fileno()).st_size
        start = end_of_id3v2(file)
        file.seek(start)
        head = file.read(12)
        if head[:4] == b"OggS":
            return ogg_content(file, start, size_bytes)
        if head[:4] == b"fLaC":
            return flac_content(file, start, size_bytes)
        bounded = bounded_content(file, start, size_bytes)
        if bounded is not None:
            return bounded
        extension = PurePath(path.decode(errors="replace")).suffix.lower()
        is_sync = head[:1] == b"\xff" and len(head) > 1 and head[1] >= 0xE0
        if is_sync or extension in _MPEG_EXTENSIONS:
            return mpeg_content(file, start, size_bytes)
        return Content(size_bytes)


def end_of_id3v2(file: BinaryIO) -> int:
    """The first byte after the ID3v2 tags that a file begins with."""
    start = 0
    while True:
        file.seek(start)
        size = id3v2_size(file.read(10))
        if not size:
            return start
        start += size
