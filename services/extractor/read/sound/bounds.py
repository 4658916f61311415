"""Where a file's tags end, and where they begin again behind the sound."""

import struct

from services.extractor.read.file_bytes import FileBytes

_MOST_BLOCKS = 10_000


def after_id3v2(file: FileBytes) -> int:
    """Where a file begins after its ID3v2 tags, of which there may be several."""
    start = 0
    for _ in range(5):
        header = file.read(start, 10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:]) > 127:
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        start += 10 + size + (10 if header[5] & 0x10 else 0)  # with a footer
    return start


def before_tags(file: FileBytes) -> int:
    """The end of the file without the tags behind the sound: ID3v1, APEv2, Lyrics3."""
    end = file.size
    for _ in range(5):
        tail = file.read(max(0, end - 160), min(160, end))
        if tail[-128:-125] == b"TAG":
            end -= 128
        elif tail[-32:-24] == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", tail[-20:-8])
            end -= size + (32 if flags >> 31 else 0)  # the size leaves the header out
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            end -= int(tail[-15:-9]) + 15
        else:
            break
    return max(end, 0)


def after_flac_blocks(file: FileBytes, offset: int) -> int:
    """Where FLAC's frames begin, from the offset of its first block."""
    for _ in range(_MOST_BLOCKS):
        (header,) = struct.unpack(">I", file.read(offset, 4))
        offset += 4 + (header & 0xFFFFFF)
        if header >> 31:  # the last block before the frames
            break
    return offset
