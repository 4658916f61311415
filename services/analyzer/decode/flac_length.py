"""FLAC whose header states fewer samples than its frames have. Source: RFC 9639, section 9."""

import re
from typing import BinaryIO

from services.analyzer.decode.parts import Content

_TAIL_BYTES = 1 << 17
"""Several frames, of all but the rarest files."""
_LARGEST_BLOCK = 65_535
_TOTAL_AT, _TOTAL_BYTES = 21, 5
"""In the file: four bits of something else, and the number of samples."""
_MOST_SAMPLES = (1 << 36) - 1


def flac_content(file: BinaryIO, start: int, size_bytes: int) -> Content:
    """What a FLAC file holds: the number of samples is corrected where its last frame is beyond it.

    libsndfile ends at the number that is stated.
    """
    file.seek(start)
    header = file.read(_TOTAL_AT + _TOTAL_BYTES)
    packed = int.from_bytes(header[_TOTAL_AT:], "big")
    total, block_size = packed & _MOST_SAMPLES, int.from_bytes(header[8:10], "big")
    file.seek(max(start, size_bytes - _TAIL_BYTES))
    first = _first_sample_of_last_frame(file.read(), block_size)
    if not total or first is None or first < total:
        return Content(size_bytes)
    corrected = packed - total + min(first, _MOST_SAMPLES)
    correction = {start + _TOTAL_AT: corrected.to_bytes(_TOTAL_BYTES, "big")}
    return Content(size_bytes, corrections=correction)


def _first_sample_of_last_frame(tail: bytes, block_size: int) -> int | None:
    """The number of the first sample of the last frame that begins in a file's last bytes.

    Bytes like a frame's beginning occur by chance: the number must follow that of another frame.
    """
    for sync, samples, most in ((b"\xff\xf8", block_size, 1), (b"\xff\xf9", 1, _LARGEST_BLOCK)):
        numbers = [
            _coded_number(tail[found.start() + 4 :][:7]) for found in re.finditer(sync, tail)
        ]
        known = [number for number in numbers if number is not None]
        for number in reversed(known):
            if any(0 < number - before <= most for before in known):
                return number * samples
    return None


def _coded_number(content: bytes) -> int | None:
    """A number that is coded like a character of UTF-8, of up to 36 bits."""
    lead = content[0] if content else 0xFF
    if lead < 0x80:
        return lead
    following = 7 - (lead ^ 0xFF).bit_length()
    if not 1 <= following <= 6:
        return None
    number = lead & (0x3F >> following)
    for byte in content[1 : 1 + following]:
        number = number << 6 | byte & 0x3F
    return number
