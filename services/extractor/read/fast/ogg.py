"""Ogg with one Vorbis or Opus stream. Sources: RFC 3533, RFC 7845, the Vorbis I specification."""

from dataclasses import dataclass
from struct import Struct

from services.extractor.read.fast.parsed_file import ParsedFile, StreamInfo, Unsupported
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound.ogg_pages import is_one_stream
from services.extractor.tags.containers.vorbis import parse_comments

_PAGE = Struct("<4sBBqIIiB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_VORBIS_HEADER = Struct("<BI3i")
_OPUS_HEADER = Struct("<BBHIhB")
_OPUS_RATE_HZ = 48_000
_TAIL_BYTES = (8_192, 65_536)
"""How far from the end the last page is searched: first near, then as far as a page is long."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the file.

    Attributes:
        position: the granule position: the samples up to the page's end.
        end: the offset after it.
        first: its first packet, as far as it is on this page.
        is_whole: whether a packet ends on this page.
    """

    flags: int
    position: int
    serial: int
    number: int
    end: int
    first: bytes
    is_whole: bool


def parse_vorbis(file: FileBytes) -> ParsedFile:
    """Ogg Vorbis."""
    page = _first_page(file, b"\x01vorbis")
    channels, rate_hz, highest, nominal, lowest = _VORBIS_HEADER.unpack_from(page.first, 11)
    if not rate_hz or len(page.first) < 28:
        raise Unsupported
    packet, _ = _comment_packet(file, page)
    if not packet.startswith(b"\x03vorbis"):
        raise Unsupported
    tags, end = parse_comments(packet, 7)
    if not packet[end] & 1:  # Vorbis I, section 5.2.1: the framing bit
        raise Unsupported
    last = _last_page(file, page.serial)
    info = StreamInfo(
        length=last.position / float(rate_hz),
        bitrate=_vorbis_bitrate(max(0, highest), max(0, nominal), max(0, lowest)),
        sample_rate=rate_hz,
        channels=channels,
        is_guess=not is_one_stream(file, last.number),
    )
    return ParsedFile(info, tags)


def _vorbis_bitrate(highest: int, nominal: int, lowest: int) -> int:
    if not nominal:
        return (highest + lowest) // 2
    if highest and highest < nominal:
        return highest
    return max(lowest, nominal)


def parse_opus(file: FileBytes) -> ParsedFile:
    """Ogg Opus."""
    page = _first_page(file, b"OpusHead")
    version, channels, pre_skip, _, _, _ = _OPUS_HEADER.unpack_from(page.first, 8)
    if version >> 4:  # RFC 7845, section 5.1: the upper four bits are the incompatible version
        raise Unsupported
    packet, end = _comment_packet(file, page)
    if not packet.startswith(b"OpusTags"):
        raise Unsupported
    tags, _ = parse_comments(packet, 8)
    # Granule positions count the decoder's first samples too, which are not played.
    last = _last_page(file, page.serial)
    length = (last.position - pre_skip) / float(_OPUS_RATE_HZ)
    bitrate = round((file.size - end) * 8 / length) if length else 0
    info = StreamInfo(length=length, bitrate=bitrate, channels=channels)
    info.is_guess = not is_one_stream(file, last.number)
    return ParsedFile(info, tags)


def _first_page(file: FileBytes, marker: bytes) -> _Page:
    page = _page(file, 0)
    if not page.flags & _FIRST or not page.first.startswith(marker):
        raise Unsupported
    return page


def _page(file: FileBytes, offset: int) -> _Page:
    """The page at an offset; all of it must be in the file."""
    header = file.read_exactly(offset, 27)
    marker, version, flags, position, serial, number, _, segments = _PAGE.unpack(header)
    if marker != b"OggS" or version or not segments:
        raise Unsupported
    lacing = file.read_exactly(offset + 27, segments)
    begin = offset + 27 + segments
    end = begin + sum(lacing)
    if end > file.size:
        raise Unsupported
    # RFC 3533, section 6: a packet goes on through segments of 255 bytes, a shorter one ends it.
    length = 0
    for size in lacing:
        length += size
        if size < 255:
            break
    is_whole = min(lacing) < 255
    first = file.read_exactly(begin, length)
    return _Page(flags, position, serial, number, end, first, is_whole)


def _comment_packet(file: FileBytes, first: _Page) -> tuple[bytes, int]:
    """The packet after the stream's header, and the end of the page on which it ends."""
    offset, number, packet = first.end, None, b""
    while True:
        page = _page(file, offset)
        if page.serial != first.serial or bool(page.flags & _CONTINUED) != (number is not None):
            raise Unsupported
        if number is not None and page.number != number + 1:
            raise Unsupported
        packet += page.first
        offset, number = page.end, page.number
        if page.is_whole:
            return packet, offset


def _last_page(file: FileBytes, serial: int) -> _Page:
    """The last page, which must be the last one of this stream."""
    for length in _TAIL_BYTES:
        tail = file.read_tail(length)
        offset = tail.rfind(b"OggS")
        if offset >= 0:
            page = _page(file, file.size - len(tail) + offset)
            if page.serial != serial or page.position == -1 or not page.flags & _LAST:
                raise Unsupported
            return page
    raise Unsupported
