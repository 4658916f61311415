"""The frames of an MPEG audio file (MP3, MP2, MP1), counted by their headers.

Sources: ISO/IEC 11172-3 and 13818-3 for the headers of frames; the Xing and Info header as LAME
writes it; VBRI as Fraunhofer's encoder does.
"""

from dataclasses import dataclass
from typing import BinaryIO

from services.analyzer.decode.parts import Content, Part, id3v2_size

_WINDOW_BYTES = 1 << 20
_HEAD_BYTES = 44
"""So much of a frame is looked at: its header and where a Xing header would be."""
_XING = frozenset({b"Xing", b"Info"})
_MIN_FRAMES = 3
_FRAMES_MISCOUNTED = 2
"""Encoders state the number of frames with or without the header's own one."""
_PADDING_FRAMES = 4
"""Encoder delay and padding, which decoders remove, are shorter than this many frames."""
_BITRATES_KBPS = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By the header's bits for MPEG-1 (3) or MPEG-2 and 2.5 (2), and for the layer (3 is layer I)."""
_RATES_HZ = (44_100, 48_000, 32_000)
_RATE_DIVISORS = {3: 1, 2: 2, 0: 4}
"""By the header's bits for the version: MPEG-1, MPEG-2, MPEG-2.5."""


@dataclass(frozen=True)
class _Header:
    """What the second and third byte of a frame say."""

    length: int
    samples: int
    rate_hz: int
    kind: int
    """Version, layer and sample rate: the same in all frames of a stream."""
    is_mpeg1: bool


def _headers() -> dict[bytes, _Header]:
    found = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, second >> 1 & 3
        if version == 1 or layer == 0:  # reserved
            continue
        bitrates = _BITRATES_KBPS[(3 if version == 3 else 2, layer)]
        samples = 384 if layer == 3 else 576 if layer == 1 and version != 3 else 1_152
        slot_bytes = 4 if layer == 3 else 1
        for third in range(0x10, 0xF0):  # bit rate 0 is free format, 15 is forbidden
            if third >> 2 & 3 == 3:
                continue
            rate_hz = _RATES_HZ[third >> 2 & 3] // _RATE_DIVISORS[version]
            bits_per_s = bitrates[(third >> 4) - 1] * 1_000
            slots = samples * bits_per_s // (8 * slot_bytes * rate_hz) + (third >> 1 & 1)
            kind = (second & 0x1E) << 8 | third & 0x0C
            found[bytes([second, third])] = _Header(
                slots * slot_bytes, samples, rate_hz, kind, version == 3
            )
    return found


_HEADERS = _headers()
_LENGTHS = {key: header.length for key, header in _HEADERS.items()}
_KINDS = {key: header.kind for key, header in _HEADERS.items()}


def mpeg_content(file: BinaryIO, start: int, size_bytes: int) -> Content:
    """Count the frames from `start` on; without parts if this is no MPEG audio.

    A new part begins where the sample rate, or mono and stereo, change, at each Xing, Info or VBRI
    header, and after each tag: another file was appended there.
    """
    runs: list[_Run] = []
    is_damaged = is_gap = False
    position = start
    while position < size_bytes:
        if _begins_run(file, position):
            run = _Run(file, position, size_bytes)
            if is_gap and runs[-1].continues_with(run):
                runs[-1].add(run)
            else:
                runs.append(run)
            position, is_gap = run.end, False
        elif size := _size_of_other(file, position):
            position += size
        else:
            following = _find_run(file, position + 1)
            if following is None:  # whatever is at the end, it is no sound
                break
            # What is before the first frame may be anything; between two frames it was sound.
            is_gap = bool(runs)
            is_damaged |= is_gap
            position = following
    covered = sum(run.covered_bytes for run in runs)
    if sum(run.frames for run in runs) < _MIN_FRAMES or covered < (size_bytes - start) / 2:
        return Content(size_bytes)
    return Content(
        size_bytes,
        "mp3",
        tuple(run.part() for run in runs),
        is_damaged or any(run.is_cut for run in runs),
        sum(_PADDING_FRAMES * run.header.samples / run.header.rate_hz for run in runs),
        is_length_stated=len(runs) == 1 and runs[0].is_length_stated(),
    )


class _Run:
    """A run of frames of one kind.

    Attributes:
        start: its first byte.
        end: the byte after its last frame.
        frames: number of frames, without the one that is only a Xing, Info or VBRI header.
        covered_bytes: size of the frames, without the gaps between them.
        stated_frames: their number by this header, 0 if unknown, None without a header.
        is_last_frame_cut: the file ends within the last frame, which is not counted.
    """

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        self.start, self.end, self.frames = start, start, 0
        self.covered_bytes = 0
        head = _read(file, start, 4)
        self.header = _HEADERS[head[1:3]]
        self.is_mono = head[3] >> 6 == 3
        if self.header.is_mpeg1:
            self._xing_offset = 21 if self.is_mono else 36
        else:
            self._xing_offset = 13 if self.is_mono else 21
        self.stated_frames = self._stated(_read(file, start, self.header.length))
        self._count(file)
        self.is_last_frame_cut = self.end > size_bytes
        if self.is_last_frame_cut:
            self.end = size_bytes
            self.frames -= 1
        if self.stated_frames is not None:
            self.frames -= 1
        self.covered_bytes = self.end - start

    @property
    def is_cut(self) -> bool:
        """Whether the last frame is not whole, or there are fewer frames than stated."""
        stated = self.stated_frames or 0
        return self.is_last_frame_cut or stated > self.frames + _FRAMES_MISCOUNTED

    def continues_with(self, run: "_Run") -> bool:
        """Whether a run after a gap belongs to this one."""
        is_same_kind = (self.header.kind, self.is_mono) == (run.header.kind, run.is_mono)
        return is_same_kind and run.stated_frames is None

    def add(self, run: "_Run") -> None:
        """Take in the run after a gap."""
        self.end = run.end
        self.frames += run.frames
        self.covered_bytes += run.covered_bytes
        self.is_last_frame_cut = run.is_last_frame_cut

    def part(self) -> Part:
        """The run as a part of its file, as long as stated where its end is cut off."""
        frames = max(self.frames, (self.stated_frames or 0) if self.is_cut else 0)
        return Part(
            self.start,
            self.end,
            frames * self.header.samples / self.header.rate_hz,
            self.header.rate_hz,
            1 if self.is_mono else 2,
        )

    def is_length_stated(self) -> bool:
        """Whether a Xing or Info header states the number of frames that are there."""
        stated = self.stated_frames
        return stated is not None and abs(stated - self.frames) <= _FRAMES_MISCOUNTED

    def _stated(self, frame: bytes) -> int | None:
        """The number of frames by the Xing or Info header, 0 if unknown, None without a header."""
        offset = self._xing_offset
        if frame[offset : offset + 4] in _XING:
            has_frames = len(frame) >= offset + 12 and frame[offset + 7] & 1
            return int.from_bytes(frame[offset + 8 : offset + 12], "big") if has_frames else 0
        # The number of frames in a VBRI header is not used: it is wrong in many files.
        return 0 if frame[36:40] == b"VBRI" else None

    def _count(self, file: BinaryIO) -> None:
        while True:
            window = _read(file, self.end, _WINDOW_BYTES)
            is_last = len(window) < _WINDOW_BYTES
            size, frames = self._frames_in(window + bytes(_HEAD_BYTES) if is_last else window)
            self.end += size
            self.frames += frames
            if is_last or size < len(window) - _HEAD_BYTES:
                return

    def _frames_in(self, window: bytes) -> tuple[int, int]:
        """Size and number of the frames that a window of the file begins with."""
        kinds, lengths, xing = _KINDS, _LENGTHS.get, self._xing_offset
        kind, is_mono = self.header.kind, self.is_mono
        position, frames, last = 0, 0, len(window) - _HEAD_BYTES
        has_frames = self.frames > 0
        while position < last and window[position] == 0xFF:
            key = window[position + 1 : position + 3]
            length = lengths(key)
            if (
                length is None
                or kinds[key] != kind
                or (window[position + 3] > 0xBF) is not is_mono
                or (
                    window[position + xing] in b"XI"
                    and window[position + xing : position + xing + 4] in _XING
                    and (has_frames or frames)
                )
            ):
                break
            position += length
            frames += 1
        return position, frames


def _read(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _begins_run(file: BinaryIO, position: int) -> bool:
    """Whether a frame begins here, and another of the same kind follows it or the file ends."""
    head = _read(file, position, 4)
    header = _HEADERS.get(head[1:3]) if head[:1] == b"\xff" and len(head) == 4 else None
    if header is None:
        return False
    following = _read(file, position + header.length, 3)
    if len(following) < 3 or following in {b"TAG", b"APE", b"ID3"}:
        return True
    return following[0] == 0xFF and _KINDS.get(following[1:]) == header.kind


def _find_run(file: BinaryIO, position: int) -> int | None:
    """Where the next run of frames or the next tag begins."""
    while window := _read(file, position, _WINDOW_BYTES):
        found = -1
        while (found := window.find(b"\xff", found + 1)) >= 0:
            if window[found + 1 : found + 3] in _LENGTHS and _begins_run(file, position + found):
                return position + found
        if len(window) < _WINDOW_BYTES:
            return None
        position += len(window) - 2
    return None


def _size_of_other(file: BinaryIO, position: int) -> int:
    """The size of the tag or padding that begins here, 0 if neither does."""
    head = _read(file, position, 32)
    if size := id3v2_size(head[:10]):
        return size
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) == 32:
        is_header = head[23] & 0x20  # its size is that of the items and the footer
        return 32 + int.from_bytes(head[12:16], "little") if is_header else 32
    if head[:11] == b"LYRICSBEGIN":
        window = _read(file, position, _WINDOW_BYTES)
        for end in (b"LYRICS200", b"LYRICSEND"):
            if (found := window.find(end)) >= 0:
                return found + len(end)
    window = _read(file, position, 4_096)
    return len(window) - len(window.lstrip(b"\0"))
