"""Gives a copy of a clip a sound of its own, in milliseconds, so that it is analysed itself.

A library whose files are copies of a few clips would be analysed by a few analyses. What is
changed is not heard: bits that decoders pass over (mp3), the last bytes of the data (mp4), the
last samples (Ogg), the lowest bit of some samples (FLAC).
"""

import struct

_OGG_POLYNOMIAL = 0x04C11DB7
_MOST_SAMPLES_CUT = 900  # of 48,000 a second: less than the last packet holds
_MP3_HEADER = b"\xff\xfb"
_PRIVATE_BIT = 1
_BITS = 24
_MDAT_NUMBER_BYTES = 8


def with_own_sound(clip: bytes, ending: str, number: int) -> bytes:
    """The clip with what tells it from the clips of other numbers; not for FLAC.

    Ogg has room for 900 numbers only: larger ones repeat.
    """
    if ending == "mp3":
        return _mp3(clip, number)
    if ending == "m4a":
        return _mp4(clip, number)
    return _ogg(clip, number)


def _mp3(clip: bytes, number: int) -> bytes:
    """The number in the private bits of the first frames."""
    changed, place = bytearray(clip), -1
    for bit in range(_BITS):
        place = clip.index(_MP3_HEADER, place + 1)
        changed[place + 2] |= _PRIVATE_BIT * (number >> bit & 1)
    return bytes(changed)


def _mp4(clip: bytes, number: int) -> bytes:
    """The number behind the last frame, within the data."""
    at = clip.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", clip, at)
    head = struct.pack(">I", size + _MDAT_NUMBER_BYTES)
    told = number.to_bytes(_MDAT_NUMBER_BYTES, "big")
    return clip[:at] + head + clip[at + 4 : at + size] + told + clip[at + size :]


def _ogg(clip: bytes, number: int) -> bytes:
    """The last page tells of fewer samples."""
    at = clip.rindex(b"OggS")
    page = bytearray(clip[at:])
    (position,) = struct.unpack_from("<q", page, 6)
    struct.pack_into("<q", page, 6, position - number % _MOST_SAMPLES_CUT)
    struct.pack_into("<I", page, 22, 0)
    struct.pack_into("<I", page, 22, _ogg_sum(page))
    return clip[:at] + bytes(page)


def _ogg_sum(page: bytes | bytearray) -> int:
    """The checksum of a page whose own is zero: CRC-32 without reflection (RFC 3533)."""
    found = 0
    for byte in page:
        found = (found << 8 & 0xFFFFFFFF) ^ _TABLE[found >> 24 ^ byte]
    return found


def _table_entry(index: int) -> int:
    found = index << 24
    for _ in range(8):
        found = (found << 1 ^ (_OGG_POLYNOMIAL if found >> 31 else 0)) & 0xFFFFFFFF
    return found


_TABLE = [_table_entry(index) for index in range(256)]
