"""What Ogg pages hold, without their numbers and checksums, which change when the tags grow.

Source: RFC 3533.
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.extractor.read.file_bytes import FileBytes

_MOST_PAGES = 10_000
_BLOCK_BYTES = 4_096
_WINDOW_BYTES = 2**17
"""Two pages of the largest size: a page begins in it."""
_NEAR_BYTES = 2**14
"""Most pages that are searched begin within this distance."""
_LONGEST_HEADER_BYTES = 27 + 255
_READ_BYTES = 2**20


def first_page_of_sound(file: FileBytes, offset: int) -> int:
    """The first page on which a sample is complete: those before it hold headers and tags.

    Their granule position is 0, or -1 where no packet ends on them.
    """
    for _ in range(_MOST_PAGES):
        header = file.read(offset, _LONGEST_HEADER_BYTES)
        if header[:4] != b"OggS" or len(header) < 27:
            break
        if header[6:14] not in {b"\0" * 8, b"\xff" * 8}:
            return offset
        segments = header[26]
        offset += 27 + segments + sum(header[27 : 27 + segments])
    return file.size


class Sample(NamedTuple):
    """The first, the middle and the last page.

    Attributes:
        pages: position and content of each, up to 4 KB.
        is_varying: the packets of the middle page are as long as the sound in them needs.
    """

    pages: list[bytes]
    is_varying: bool


def sample(file: FileBytes, begin: int) -> Sample:
    """Three pages of the sound that begins at an offset."""
    window, offset = _page_after(file, begin + (file.size - begin) // 2)
    pages = [
        _page(file.read(begin, _NEAR_BYTES), 0), _page(window, offset), _last_page(file, begin),
    ]  # fmt: skip
    return Sample(pages, not _is_of_one_size(window, offset))


def _is_of_one_size(window: bytes, offset: int) -> bool:
    """Whether all packets of a page, if it has three and more, have one size."""
    if not 0 <= offset < len(window) - 27:
        return False
    ends = window[offset + 27 : offset + 27 + window[offset + 26]].replace(b"\xff", b"")
    return len(ends) > 2 and len(set(ends)) == 1


def encoding(file: FileBytes, start: int) -> bytes:
    """What the first page says of the encoding, without Opus's gain, which taggers change."""
    packet = _page(file.read(start, _NEAR_BYTES), 0)[8:]
    return packet[:16] + packet[18:] if packet.startswith(b"OpusHead") else packet


def contents(file: FileBytes, begin: int) -> Iterator[bytes]:
    """The contents of all pages from an offset on; what is between pages counts as content."""
    offset, at, block = begin, begin, b""
    while at < file.size:
        if at + _WINDOW_BYTES > offset + len(block) and offset + len(block) < file.size:
            offset, block = at, file.read(at, _READ_BYTES)
            if not block:  # the file was cut meanwhile
                return
        place = at - offset
        if block[place : place + 4] == b"OggS" and len(block) >= place + 27:
            start = place + 27 + block[place + 26]
            end = start + sum(block[place + 27 : start])
            yield block[place + 6 : place + 14] + block[start:end]
            at = offset + end
            continue
        following = block.find(b"OggS", place + 1)
        end = following if following >= 0 else max(place + 1, len(block) - 3)
        yield block[place:end]
        at = offset + end


def _page_after(file: FileBytes, offset: int) -> tuple[bytes, int]:
    """The first page that begins within two pages after an offset; nearly always it is near.

    Returns bytes of the file, and where the page begins in them; -1 where there is none.
    """
    near = file.read(offset, _NEAR_BYTES)
    found = near.find(b"OggS")
    if 0 <= found <= _NEAR_BYTES - _LONGEST_HEADER_BYTES - _BLOCK_BYTES:
        return near, found
    window = file.read(offset, _WINDOW_BYTES)
    return window, window.find(b"OggS")


def _last_page(file: FileBytes, begin: int) -> bytes:
    """The last page, if it begins within two pages before the end; nearly always it is near."""
    for length in (_NEAR_BYTES, _WINDOW_BYTES):
        window = file.read(max(begin, file.size - length), length)
        found = window.rfind(b"OggS")
        if found >= 0:
            break
    return _page(window, found)


def _page(window: bytes, offset: int) -> bytes:
    """A page's granule position, and its content up to a block; b"" where no page is there."""
    if offset < 0 or len(window) < offset + 27:
        return b""
    segments = window[offset + 26]
    begin = offset + 27 + segments
    length = sum(window[offset + 27 : begin])
    return window[offset + 6 : offset + 14] + window[begin : begin + min(length, _BLOCK_BYTES)]
