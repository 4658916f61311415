"""Marks a copy of an encoded clip with a number, so that its content hash is unique.

SoniqueBay analyses equal sound only once, so unmarked copies of a few clips would give only a few
analyses. A mark takes milliseconds and is not audible: bits that decoders ignore (MP3), bytes at
the end of the data (MP4), the number of the last samples (Ogg).
"""

import struct

_OGG_POLYNOMIAL = 0x04C11DB7
_MOST_SAMPLES_CUT = 900  # of 48,000 a second: less than the last packet holds
_MP3_HEADER = b"\xff\xfb"
_PRIVATE_BIT = 1
_BITS = 24
_MDAT_NUMBER_BYTES = 8


def watermark(clip: bytes, ending: str, number: int) -> bytes:
    """The clip with a mark of its number; not for FLAC.

    Ogg has room for 900 numbers only: larger ones repeat.
    """
    if ending == "mp3":
        return _mp3(clip, number)
    if ending == "m4a":
        return _mp4(clip, number)
    return _ogg(clip, number)


def _mp3(clip: bytes, number: int) -> bytes:
    """Write the number into the private bits of the first frames."""
    marked, at = bytearray(clip), -1
    for bit in range(_BITS):
        at = clip.index(_MP3_HEADER, at + 1)
        marked[at + 2] |= _PRIVATE_BIT * (number >> bit & 1)
    return bytes(marked)


def _mp4(clip: bytes, number: int) -> bytes:
    """Append the number to the data, behind the last frame."""
    at = clip.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", clip, at)
    head = struct.pack(">I", size + _MDAT_NUMBER_BYTES)
    mark = number.to_bytes(_MDAT_NUMBER_BYTES, "big")
    return clip[:at] + head + clip[at + 4 : at + size] + mark + clip[at + size :]


def _ogg(clip: bytes, number: int) -> bytes:
    """Reduce the number of samples that the last page declares."""
    at = clip.rindex(b"OggS")
    page = bytearray(clip[at:])
    (position,) = struct.unpack_from("<q", page, 6)
    struct.pack_into("<q", page, 6, position - number % _MOST_SAMPLES_CUT)
    struct.pack_into("<I", page, 22, 0)
    struct.pack_into("<I", page, 22, _ogg_checksum(page))
    return clip[:at] + bytes(page)


def _ogg_checksum(page: bytes | bytearray) -> int:
    """The checksum of a page whose checksum field is 0: CRC-32 without reflection (RFC 3533)."""
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc


def _table_entry(index: int) -> int:
    crc = index << 24
    for _ in range(8):
        crc = (crc << 1 ^ (_OGG_POLYNOMIAL if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


_TABLE = [_table_entry(index) for index in range(256)]
