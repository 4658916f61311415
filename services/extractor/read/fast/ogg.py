"""Ogg with one Vorbis or Opus stream. Sources: RFC 3533, RFC 7845, the Vorbis I specification."""

from dataclasses import dataclass
from struct import Struct

from services.extractor.read.fast.comments import comments
from services.extractor.read.fast.found import Beyond, Found, Info
from services.extractor.read.fast.window import Window

_PAGE = Struct("<4sBBqIIiB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_VORBIS_INFO = Struct("<BI3i")
_OPUS_INFO = Struct("<BBHIhB")
_OPUS_RATE_HZ = 48_000
_TAIL_BYTES = (8_192, 65_536)
"""How far from the end the last page is looked for: first near, then as far as a page is long."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page: its head, where it ends, and its first packet with whether that ends on it."""

    flags: int
    position: int
    serial: int
    number: int
    end: int
    first: bytes
    is_whole: bool


def vorbis(window: Window) -> Found:
    """Ogg Vorbis."""
    page = _beginning(window, b"\x01vorbis")
    channels, rate_hz, most, nominal, least = _VORBIS_INFO.unpack_from(page.first, 11)
    if not rate_hz or len(page.first) < 28:
        raise Beyond
    packet, _ = _comment_packet(window, page)
    if not packet.startswith(b"\x03vorbis"):
        raise Beyond
    tags, end = comments(packet, 7)
    if not packet[end] & 1:
        raise Beyond
    info = Info(
        length=_last_position(window, page.serial) / float(rate_hz),
        bitrate=_vorbis_bitrate(max(0, most), max(0, nominal), max(0, least)),
        sample_rate=rate_hz,
        channels=channels,
    )
    return Found(info, tags)


def _vorbis_bitrate(most: int, nominal: int, least: int) -> int:
    if not nominal:
        return (most + least) // 2
    if most and most < nominal:
        return most
    return max(least, nominal)


def opus(window: Window) -> Found:
    """Ogg Opus."""
    page = _beginning(window, b"OpusHead")
    version, channels, skipped, _, _, _ = _OPUS_INFO.unpack_from(page.first, 8)
    if version >> 4:
        raise Beyond
    packet, end = _comment_packet(window, page)
    if not packet.startswith(b"OpusTags"):
        raise Beyond
    tags, _ = comments(packet, 8)
    length = (_last_position(window, page.serial) - skipped) / float(_OPUS_RATE_HZ)
    bitrate = round((window.size - end) * 8 / length) if length else 0
    return Found(Info(length=length, bitrate=bitrate, channels=channels), tags)


def _beginning(window: Window, mark: bytes) -> _Page:
    page = _page(window, 0)
    if not page.flags & _FIRST or not page.first.startswith(mark):
        raise Beyond
    return page


def _page(window: Window, place: int) -> _Page:
    """The page at a place; all of it must be there."""
    head = window.at(place, 27)
    mark, version, flags, position, serial, number, _, segments = _PAGE.unpack(head)
    if mark != b"OggS" or version or not segments:
        raise Beyond
    lacing = window.at(place + 27, segments)
    begin = place + 27 + segments
    end = begin + sum(lacing)
    if end > window.size:
        raise Beyond
    length = 0
    for size in lacing:
        length += size
        if size < 255:
            break
    is_whole = min(lacing) < 255
    return _Page(flags, position, serial, number, end, window.at(begin, length), is_whole)


def _comment_packet(window: Window, first: _Page) -> tuple[bytes, int]:
    """The packet after the stream's head, whole, and where the page ends that ends it."""
    place, number, packet = first.end, None, b""
    while True:
        page = _page(window, place)
        if page.serial != first.serial or bool(page.flags & _CONTINUED) != (number is not None):
            raise Beyond
        if number is not None and page.number != number + 1:
            raise Beyond
        packet += page.first
        place, number = page.end, page.number
        if page.is_whole:
            return packet, place


def _last_position(window: Window, serial: int) -> int:
    """What the last page says of its place in the stream; it must be the stream's last one."""
    for length in _TAIL_BYTES:
        tail = window.end(length)
        place = tail.rfind(b"OggS")
        if place >= 0:
            page = _page(window, window.size - len(tail) + place)
            if page.serial != serial or page.position == -1 or not page.flags & _LAST:
                raise Beyond
            return page.position
    raise Beyond
