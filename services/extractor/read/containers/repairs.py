"""Repairs files in memory that mutagen refuses, or whose tags it drops, for one wrong field.

Sources: Apple's QuickTime File Format, "Metadata"; RFC 9639, section 8.
"""

import struct
from io import BytesIO

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound.flac_frames import is_frame
from services.extractor.read.sound.mp4_samples import atoms, movie_of

_PAIRS = {b"trkn": 8, b"disk": 6}
"""Bytes of a number and a total: some writers end behind the number."""
_PATH = frozenset((b"moov", b"udta", b"meta", b"ilst"))
_DATA_HEADER_BYTES = 16
_STREAM_INFO, _COMMENTS, _PICTURE, _LAST_KIND = 0, 4, 6, 6
_MOST_BLOCKS = 1_000
_MOST_SEARCHED_BYTES = 2**24


def repaired_mp4(file: FileBytes, start: int) -> BytesIO | None:
    """The movie alone, with a version in `meta`, and whole numbers; None where nothing is wrong."""
    movie, _ = movie_of(file, start)
    changed = _movie_content(b"moov", movie, len(_PATH))
    if not movie or changed == movie:
        return None
    return BytesIO(_atom(b"ftyp", b"M4A \0\0\0\0M4A ") + _atom(b"moov", changed))


def _atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def _movie_content(name: bytes, content: bytes, depth: int) -> bytes:
    head, offset = b"", 0
    if name == b"meta":
        # QuickTime's `meta` holds atoms at once, MP4's begins with a version and flags.
        offset = 0 if content[4:8] in {b"hdlr", b"ilst"} else 4
        head = content[:offset].rjust(4, b"\0")
    parts = [head]
    end = len(content)
    for child, begin, after in atoms(content, offset, end):
        inner = content[begin:after]
        if child in _PATH and depth:
            inner = _movie_content(child, inner, depth - 1)
        elif name == b"ilst" and child in _PAIRS:
            inner = _whole_pairs(inner, _PAIRS[child])
        parts.append(_atom(child, inner))
        offset = after
    return b"".join(parts) + content[offset:]


def _whole_pairs(item: bytes, width: int) -> bytes:
    parts, offset = [], 0
    for name, begin, after in atoms(item, 0, len(item)):
        content = item[begin:after]
        is_short = name == b"data" and len(content) - 8 < 6
        parts.append(_atom(name, content.ljust(8 + width, b"\0") if is_short else content))
        offset = after
    return b"".join(parts) + item[offset:]


def repaired_flac(file: FileBytes, start: int) -> BytesIO | None:
    """The stream's header, comments and images, without frames; None where there is no header.

    An image whose block says another length than its content is cut at the end that fits.
    """
    blocks: dict[int, list[bytes]] = {_STREAM_INFO: [], _COMMENTS: [], _PICTURE: []}
    offset = start + 4
    for _ in range(_MOST_BLOCKS):
        header = file.read(offset, 4)
        if len(header) < 4:
            break
        kind, size = header[0] & 0x7F, int.from_bytes(header[1:], "big")
        offset += 4
        end = offset + size
        if kind == _PICTURE:
            end, picture = _picture(file, offset, size)
            if picture:
                blocks[kind].append(picture)
        elif kind in blocks and end <= file.size:
            blocks[kind].append(file.read(offset, size))
        offset = end
        if header[0] & 0x80 or is_frame(file.read(offset, 16)):
            break
    if not blocks[_STREAM_INFO] or len(blocks[_STREAM_INFO][0]) != 34:
        return None
    kept = [(_STREAM_INFO, blocks[_STREAM_INFO][0])]
    kept += [(kind, block) for kind in (_COMMENTS, _PICTURE) for block in blocks[kind]]
    body = b"fLaC"
    for number, (kind, block) in enumerate(kept, start=1):
        body += struct.pack(">I", (kind | 0x80 * (number == len(kept))) << 24 | len(block)) + block
    return BytesIO(body)


def _picture(file: FileBytes, offset: int, size: int) -> tuple[int, bytes | None]:
    """The end of an image's block, and the block with a length that is true."""
    block = file.read(offset, min(max(size, 2**16), _MOST_SEARCHED_BYTES))
    at = 4
    for _ in range(2):  # MIME type and description
        at += 4 + int.from_bytes(block[at : at + 4], "big")
    at += 16
    if at + 4 > len(block):
        return offset + size, None
    inner = offset + at + 4 + int.from_bytes(block[at : at + 4], "big")
    ends = (offset + size, inner)
    end = next((end for end in ends if _goes_on(file, end)), None)
    if end is None:
        end = _next_frame(file, offset)
    data = file.read(offset + at + 4, max(0, min(inner, end) - offset - at - 4))
    whole = block[:at] + struct.pack(">I", len(data)) + data
    return end, whole if len(whole) < 2**24 else None


def _goes_on(file: FileBytes, offset: int) -> bool:
    """Whether a block's header, or a frame, stands at an offset."""
    head = file.read(offset, 16)
    if len(head) < 16:
        return False
    size = int.from_bytes(head[1:4], "big")
    return is_frame(head) or (head[0] & 0x7F <= _LAST_KIND and offset + 4 + size <= file.size)


def _next_frame(file: FileBytes, offset: int) -> int:
    """Where the first frame begins behind an offset; the file's end where none does."""
    block = file.read(offset, _MOST_SEARCHED_BYTES)
    found = -1
    while (found := block.find(b"\xff", found + 1)) >= 0:
        if is_frame(block[found : found + 16]):
            return offset + found
    return file.size
