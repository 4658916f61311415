"""FLAC's last frame, which tells the length where the header does not.

Source: RFC 9639, section 9.
"""

from functools import lru_cache

from services.extractor.read.file_bytes import FileBytes

_NEAR_BYTES = 2**14
_FAR_BYTES = 2**19
"""The last frame begins in it: 65,535 samples of 8 channels of 32 bits are rare."""
_BLOCK_SIZES = (
    None, 192, 576, 1_152, 2_304, 4_608, None, None, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384,
    32_768,
)  # fmt: skip
_SIZE_OF_8_BITS, _SIZE_OF_16_BITS = 6, 7
_SYNCS = frozenset((b"\xff\xf8", b"\xff\xf9"))
_RATE_BYTES = {12: 1, 13: 2, 14: 2}


def last_frame(
    file: FileBytes, start: int, end: int, block_size: int, *, is_near: bool = False
) -> tuple[int, int] | None:
    """The numbers of the last frame's first sample and of the one after it; None if none is found.

    Args:
        file: the bytes of it.
        start: of the frames.
        end: of the frames, where tags may follow.
        block_size: of a frame, in samples, if all have the same: then frames are numbered.
        is_near: whether to look at the last 16 KB alone, which are at hand.
    """
    sync = file.read(start, 2)  # the same in all frames of a stream
    for length in (_NEAR_BYTES, _FAR_BYTES):
        begin = max(start, end - length)
        tail = file.read(begin, end - begin)
        found = len(tail)
        while sync in _SYNCS and (found := tail.rfind(sync, 0, found)) >= 0:
            samples = _samples_of_frame(tail[found : found + 16], block_size)
            if samples is not None:
                return samples
        if is_near:
            break
    return None


def is_frame(head: bytes) -> bool:
    """Whether a frame begins with these 16 bytes."""
    return _samples_of_frame(head, 1) is not None


def _samples_of_frame(head: bytes, block_size: int) -> tuple[int, int] | None:
    """The samples of the frame that begins with these bytes; None where none does."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1 or head[2] & 15 == 15:
        return None
    number, offset = _coded_number(head, 4)
    if number is None:
        return None
    kind = head[2] >> 4
    size = _BLOCK_SIZES[kind]
    if kind in {_SIZE_OF_8_BITS, _SIZE_OF_16_BITS}:
        width = kind - _SIZE_OF_8_BITS + 1
        size = int.from_bytes(head[offset : offset + width], "big") + 1
        offset += width
    offset += _RATE_BYTES.get(head[2] & 15, 0)
    if size is None or offset >= len(head) or _crc8(head[:offset]) != head[offset]:
        return None
    first = number if head[1] & 1 else number * block_size
    return first, first + size


def _coded_number(head: bytes, offset: int) -> tuple[int | None, int]:
    """The number of a frame or sample, coded like a character of UTF-8, of up to 36 bits."""
    lead = head[offset]
    if lead < 0x80:
        return lead, offset + 1
    following = 8 - (lead ^ 0xFF).bit_length() - 1
    if not 1 <= following <= 6 or offset + 1 + following > len(head):
        return None, offset
    number = lead & (0x3F >> following)
    for byte in head[offset + 1 : offset + 1 + following]:
        if byte >> 6 != 2:
            return None, offset
        number = number << 6 | byte & 0x3F
    return number, offset + 1 + following


def _crc8(content: bytes) -> int:
    """Section 9.1.8: the polynomial x^8 + x^2 + x + 1."""
    crc, table = 0, _crc_table()
    for byte in content:
        crc = table[crc ^ byte]
    return crc


@lru_cache(maxsize=1)
def _crc_table() -> bytes:
    table = bytearray(256)
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
        table[value] = crc
    return bytes(table)
