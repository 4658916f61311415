"""Ogg's pages, gone through where the last one does not tell the whole length: chained streams.

Sources: RFC 3533; RFC 7845; the Vorbis I specification; RFC 9639, section 10.1.
"""

from dataclasses import dataclass
from struct import Struct

from services.extractor.read.file_bytes import FileBytes

_HEADER = Struct("<4sBBqIIiB")
_LONGEST_HEADER_BYTES = 27 + 255
_BLOCK_BYTES = 2**20
_MOST_BYTES = 2**30
_LONGEST_PAGE_BYTES = 27 + 255 + 255 * 255
_FIRST = 2
_OPUS_RATE_HZ = 48_000
_MOST_SERIALS = 1_000
_LONGEST_PAGE_S = 30.6
"""255 packets of 120 ms: a stream that begins later was cut out of a longer one."""


@dataclass(slots=True)
class _Link:
    """A stream of the chain: the samples before its sound, and its last granule position."""

    rate_hz: int
    pre_skip: int
    begin: int | None = None
    position: int = 0

    def add(self, position: int) -> None:
        if position < 0:
            return
        if self.begin is None and position > 0:
            is_cut_out = position > _LONGEST_PAGE_S * self.rate_hz
            self.begin = position if is_cut_out else self.pre_skip
        self.position = max(self.position, position)

    @property
    def length_s(self) -> float:
        begin = self.pre_skip if self.begin is None else self.begin
        return max(0, self.position - begin) / self.rate_hz


def length_s(file: FileBytes, start: int) -> float | None:
    """The length of all streams of sound that follow each other.

    None where there is none, and in a file of more than a gigabyte, which would take seconds. Of
    streams that begin together, as a film's sound and image, only those of sound count.
    """
    if file.size > _MOST_BYTES:
        return None
    links: dict[int, _Link] = {}
    total_s, found = 0.0, False
    offset = start
    begin, block = start, b""
    while offset < file.size:
        if offset + _LONGEST_PAGE_BYTES > begin + len(block) and begin + len(block) < file.size:
            begin, block = offset, file.read(offset, _BLOCK_BYTES)
        at = offset - begin
        if block[at : at + 4] != b"OggS" or len(block) < at + 27:
            following = block.find(b"OggS", at + 1)
            if following < 0 and begin + len(block) >= file.size:
                break
            offset = begin + (following if following >= 0 else max(at + 1, len(block) - 3))
            continue
        _, _, flags, position, serial, _, _, segments = _HEADER.unpack_from(block, at)
        content = at + 27 + segments
        if flags & _FIRST:
            link = _link(block[content : content + 64])
            if link is not None:
                ended = links.pop(serial, None)
                total_s += ended.length_s if ended else 0.0
                if len(links) < _MOST_SERIALS:
                    links[serial] = link
                found = True
        elif serial in links:
            links[serial].add(position)
        offset = begin + content + sum(block[at + 27 : content])
    return total_s + sum(link.length_s for link in links.values()) if found else None


def _link(packet: bytes) -> _Link | None:
    """The stream that a first packet begins; None where it is no sound, or unknown."""
    rate_hz = pre_skip = 0
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        rate_hz = int.from_bytes(packet[12:16], "little")
    elif packet.startswith(b"OpusHead") and len(packet) >= 12:
        rate_hz, pre_skip = _OPUS_RATE_HZ, int.from_bytes(packet[10:12], "little")
    elif packet.startswith(b"\x7fFLAC") and len(packet) >= 30:
        rate_hz = int.from_bytes(packet[27:30], "big") >> 4
    elif packet.startswith(b"Speex   ") and len(packet) >= 40:
        rate_hz = int.from_bytes(packet[36:40], "little")
    return _Link(rate_hz, pre_skip) if rate_hz else None


def is_one_stream(file: FileBytes, number: int) -> bool:
    """Whether the pages are numbered through, as those of one stream are.

    Files that were joined of one and the same have one serial number in all parts, and begin their
    numbers again: then the page at a place has not the number that the last page leads to expect.

    Args:
        file: the bytes of it.
        number: of the last page.
    """
    if number < _FEW_PAGES:
        return _end_of_pages(file, number + 1) == file.size
    place = int(file.size * _PROBE)
    window = file.read(place, _PROBED_BYTES)
    offset = window.find(b"OggS")
    if not 0 <= offset <= len(window) - 27:
        return False  # large pages: to go through them costs little
    (found,) = _NUMBER.unpack_from(window, offset + 18)
    return bool(abs(found / number - (place + offset) / file.size) < _TOLERANCE)


def _end_of_pages(file: FileBytes, pages: int) -> int:
    """Where so many pages end, from the file's beginning on."""
    offset = 0
    for _ in range(pages):
        header = file.read(offset, _LONGEST_HEADER_BYTES)
        if len(header) < 27:
            break
        begin = 27 + header[26]
        offset += begin + sum(header[27:begin])
    return offset


_PROBE = 0.382
"""No simple fraction: a file joined of 2 to 8 equal parts has another number there."""
_PROBED_BYTES = 2**14
_FEW_PAGES = 8
_TOLERANCE = 0.2
_NUMBER = Struct("<I")
