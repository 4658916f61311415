"""The pages of an Ogg file (RFC 3533): its links, and how long they play by their granules."""

from dataclasses import dataclass, field
from typing import BinaryIO

from services.analyzer.decode.parts import Content, Part

_PAGE_HEADER_BYTES = 27
_WINDOW_BYTES = 1 << 20
_LONGEST_PAGE_BYTES = _PAGE_HEADER_BYTES + 255 + 255 * 255
_CONTINUED, _FIRST = 1, 2
"""Flags of a page: its first packet began on an earlier page; it is its stream's first one."""
_NO_GRANULE = (1 << 64) - 1
_OPUS_RATE_HZ = 48_000
_TOLERANCE_S = 0.03


@dataclass
class _Stream:
    """A logical stream of audio, by its first page.

    Attributes:
        delay: samples at the start that are not played (Opus).
        first, last: granule of the first page with sound, and of the last one.
    """

    rate_hz: int
    channels: int
    delay: int = 0
    first: int | None = None
    last: int = 0

    def duration_s(self) -> float | None:
        """How long it plays; a recording of a broadcast does not begin at granule 0."""
        if self.first is None or not self.rate_hz:
            return None
        is_late = self.first > 10 * self.rate_hz
        return max(0, self.last - (self.first if is_late else self.delay)) / self.rate_hz


@dataclass
class _Link:
    """The streams that begin together, and the bytes from their first page on."""

    start: int
    end: int = 0
    streams: dict[bytes, _Stream | None] = field(default_factory=dict)
    has_sound: bool = False

    def part(self) -> Part | None:
        """The link as a part of the file, None where it has no audio of a known codec."""
        for stream in self.streams.values():
            if stream is not None:
                return Part(
                    self.start, self.end, stream.duration_s(), stream.rate_hz, stream.channels
                )
        return None


def ogg_content(file: BinaryIO, start: int, size_bytes: int) -> Content:
    """Find the links of an Ogg file, the pages of which begin at `start`."""
    links: list[_Link] = []
    is_damaged = False
    window, base, position = b"", 0, start
    while position < size_bytes:
        here = position - base
        if not 0 <= here <= len(window) - _LONGEST_PAGE_BYTES:
            file.seek(position)
            window, base, here = file.read(_WINDOW_BYTES), position, 0
        size = _page_size(window, here)
        if not size:
            following = window.find(b"OggS", here + 1)
            if following < 0:
                if len(window) < _WINDOW_BYTES:
                    break  # a tag, or anything else that is no page, at the end
                following = len(window) - 3
            is_damaged = True
            position = base + following
            continue
        is_damaged |= position + size > size_bytes
        _add_page(links, window[here : here + size], position)
        position += size
    parts = [link.part() for link in links]
    if not parts or None in parts:
        return Content(size_bytes, is_damaged=is_damaged)
    return Content(
        size_bytes, "ogg", tuple(filter(None, parts)), is_damaged, _TOLERANCE_S * len(parts)
    )


def _page_size(window: bytes, start: int) -> int:
    """The size of the page that begins here, 0 if none does."""
    if window[start : start + 4] != b"OggS" or len(window) < start + _PAGE_HEADER_BYTES:
        return 0
    segments = window[start + 26]
    body = sum(window[start + _PAGE_HEADER_BYTES : start + _PAGE_HEADER_BYTES + segments])
    return _PAGE_HEADER_BYTES + segments + body


def _add_page(links: list[_Link], page: bytes, position: int) -> None:
    granule, serial = int.from_bytes(page[6:14], "little"), page[14:18]
    if page[5] & _FIRST:
        if not links or links[-1].has_sound:
            links.append(_Link(position))
        links[-1].streams[serial] = _stream(page[_PAGE_HEADER_BYTES + page[26] :])
    if not links:
        return
    link = links[-1]
    link.end = position + len(page)
    link.has_sound |= not page[5] & _FIRST
    stream = link.streams.get(serial)
    if stream is not None and 0 < granule < _NO_GRANULE:
        if stream.first is None:
            stream.first = granule
        stream.last = max(stream.last, granule)


def _stream(packet: bytes) -> _Stream | None:
    """The stream of audio that a first packet begins, None for anything else."""
    if packet[:7] == b"\x01vorbis" and len(packet) >= 16:
        return _Stream(int.from_bytes(packet[12:16], "little"), packet[11])
    if packet[:8] == b"OpusHead" and len(packet) >= 12:
        return _Stream(_OPUS_RATE_HZ, packet[9], delay=int.from_bytes(packet[10:12], "little"))
    if packet[:5] == b"\x7fFLAC" and len(packet) >= 31:
        bits = int.from_bytes(packet[27:31], "big")  # rate 20, channels - 1 3, ...
        return _Stream(bits >> 12, (bits >> 9 & 7) + 1)
    if packet[:8] == b"Speex   " and len(packet) >= 52:
        return _Stream(
            int.from_bytes(packet[36:40], "little"), int.from_bytes(packet[48:52], "little")
        )
    return None
