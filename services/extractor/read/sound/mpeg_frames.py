"""MPEG audio's frames (MP3, MP2, ADTS), counted where no header says how many there are.

Sources: ISO/IEC 11172-3 and 13818-3, section 2.4.2.3; ISO/IEC 14496-3, section 1.A.3.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from services.extractor.read.file_bytes import FileBytes

_BLOCK_BYTES = 2**20
_MOST_BYTES = 2**29
_LONGEST_FRAME_BYTES = 8_192
_RATES_HZ = (44_100, 48_000, 32_000)
_V1, _V2 = 3, 2
_LAYER_1, _LAYER_2, _LAYER_3 = 3, 2, 1
_LOW_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KBPS = {
    (True, _LAYER_1): tuple(range(32, 449, 32)),
    (True, _LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, _LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, _LAYER_1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, _LAYER_2): _LOW_KBPS,
    (False, _LAYER_3): _LOW_KBPS,
}
_MONO = 0xC0  # the lowest value of a mono frame's fourth byte
_SLACK_BYTES = 4_096
_NEAR_BYTES = 4
"""Encoders without a bit reservoir pad a frame earlier or later."""
_HEADERS = frozenset((b"Xing", b"Info"))
_VBRI_OFFSET = 36
_NEEDED_FRAMES = 3
"""So many must follow each other where the stream begins, or goes on behind something else."""


class Counted(NamedTuple):
    """The frames of a stream.

    Attributes:
        length_s: their duration.
        sound_bytes: of all frames.
        rate_hz, channels: of the first one.
    """

    length_s: float
    sound_bytes: int
    rate_hz: int
    channels: int


class _Stream(NamedTuple):
    """Frames of one version, layer and rate; their lengths by their first three bytes."""

    lengths: Mapping[bytes, int]
    samples: int
    rate_hz: int
    side_bytes: tuple[int, int]
    """Of the side information: stereo, mono."""


@lru_cache(maxsize=64)
def _stream(second: int, rate: int) -> _Stream | None:
    """The stream of frames whose second byte and rate are these; None where they are invalid."""
    version, layer = second >> 3 & 3, second >> 1 & 3
    if version == 1 or not layer or rate == 3:
        return None
    is_v1 = version == _V1
    rate_hz = _RATES_HZ[rate] >> (0 if is_v1 else 1 if version == _V2 else 2)
    samples, slot = (384, 4) if layer == _LAYER_1 else (1152, 1)
    if layer == _LAYER_3 and not is_v1:
        samples = 576
    lengths = {}
    for number, kbps in enumerate(_KBPS[is_v1, layer], start=1):
        for flags in range(4):  # padding, and a private bit
            length = (samples // 8 * kbps * 1000 // slot // rate_hz + (flags >> 1)) * slot
            for protected in (0, 1):
                head = bytes((0xFF, second & 0xFE | protected, number << 4 | rate << 2 | flags))
                lengths[head] = length
    return _Stream(lengths, samples, rate_hz, (32, 17) if is_v1 else (17, 9))


def _stream_at(head: bytes) -> _Stream | None:
    if len(head) < 3 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    stream = _stream(head[1], head[2] >> 2 & 3)
    return stream if stream and head[:3] in stream.lengths else None


def fits(end: int, size_bytes: int) -> bool:
    """Whether a file may have this size, if a header says where its frames end."""
    return -_SLACK_BYTES <= size_bytes - end <= max(_SLACK_BYTES, end // 50)


def is_told(file: FileBytes, start: int, end: int) -> bool:
    """Whether the first frame's header tells how many frames there are, and fits the file.

    Args:
        file: the bytes of it.
        start: of the first frame.
        end: of the sound, where tags may follow.
    """
    frame = file.read(start, 36 + 26)
    stream = _stream_at(frame[:3])
    if stream is None or len(frame) < 36 + 26:
        return False
    if frame[36:40] == b"VBRI":
        size, frames = (int.from_bytes(frame[at : at + 4], "big") for at in (46, 50))
        return bool(frames) and fits(start + size, end)
    offset = 4 + stream.side_bytes[frame[3] >= _MONO]
    header = frame[offset : offset + 16]
    has_both = header[7] & 3 == 3
    return (
        header[:4] in _HEADERS
        and has_both
        and fits(start + int.from_bytes(header[12:16], "big"), end)
    )


def constant_bitrate(file: FileBytes, start: int, end: int) -> int | None:
    """The bit rate that all frames have: the file's size tells the length then; None if they vary.

    Frames are looked for where they would be then: one of another length moves all later ones.
    """
    head = file.read(start, 3)
    stream = _stream_at(head)
    if stream is None:
        return None
    shortest = stream.lengths[bytes((0xFF, head[1], head[2] & ~2))]
    kbps = _KBPS[head[1] >> 3 & 3 == _V1, head[1] >> 1 & 3][(head[2] >> 4) - 1]
    means = (stream.samples * kbps * 125 / stream.rate_hz, shortest, shortest + 1)
    if any(_stand_at(file, start, end, head, mean) for mean in means):
        return kbps * 1_000
    return None


def _stand_at(file: FileBytes, start: int, end: int, head: bytes, mean_bytes: float) -> bool:
    """Whether frames like the first one stand at this distance from each other."""
    frames = int((end - start) / mean_bytes) - 1
    for number in (frames, frames // 2, frames // 4):
        place = start + int(number * mean_bytes)
        window = file.read(max(start, place - _NEAR_BYTES), 2 * _NEAR_BYTES + 3)
        offset = window.find(head[:2])
        if not 0 <= offset <= len(window) - 3 or (window[offset + 2] ^ head[2]) & 0xFC:
            return False
    return True


def is_stream(file: FileBytes, start: int) -> bool:
    """Whether frames of one stream follow each other from an offset on."""
    stream = _stream_at(file.read(start, 3))
    for _ in range(_NEEDED_FRAMES):
        length = stream.lengths.get(file.read(start, 3)) if stream else None
        if length is None:
            return False
        start += length
    return True


def first_frame(file: FileBytes, start: int) -> int | None:
    """Where the first frame begins; None where none does within a megabyte."""
    if _stream_at(file.read(start, 3)) is not None:  # nearly always
        return start
    block = file.read(start, _BLOCK_BYTES)
    counter = _Counter()
    place = counter.enter(block, 0, len(block))
    return start + place if counter.is_in_stream else None


def count(file: FileBytes, start: int) -> Counted | None:
    """Count the frames from an offset to the file's end; None where there are none.

    Tags and other bytes between them are passed over: joined files are counted whole. Of a file
    that is larger than half a gigabyte the rest is taken to be like its beginning.
    """
    counter, offset = _Counter(), start
    while offset < min(file.size, start + _MOST_BYTES):
        block = file.read(offset, _BLOCK_BYTES)
        if not block:
            break
        offset += max(1, counter.take(block, is_last=offset + len(block) >= file.size))
    result = counter.result()
    if result is None or offset >= file.size:
        return result
    share = (file.size - start) / (offset - start)
    return result._replace(
        length_s=result.length_s * share, sound_bytes=round(result.sound_bytes * share)
    )


class _Counter:
    """Counts the frames of blocks that follow each other."""

    def __init__(self) -> None:
        self._stream: _Stream | None = None
        self._first: tuple[int, int] | None = None
        self._length_s, self._sound_bytes = 0.0, 0

    @property
    def is_in_stream(self) -> bool:
        """Whether the next frame is expected to follow."""
        return self._stream is not None

    def result(self) -> Counted | None:
        if self._first is None or not self._length_s:
            return None
        return Counted(self._length_s, self._sound_bytes, *self._first)

    def take(self, block: bytes, *, is_last: bool) -> int:
        """Count the frames that begin in a block; returns how many bytes of it are done."""
        limit = len(block) if is_last else len(block) - _LONGEST_FRAME_BYTES
        place = 0
        while place < limit:
            if self._stream is None:
                place = self.enter(block, place, limit)
            if self._stream is not None:
                place = self._run(block, place, limit)
        return place

    def _run(self, block: bytes, place: int, limit: int) -> int:
        """Go through the frames of one stream: this is done once a frame, so nothing else is."""
        stream = self._stream
        assert stream is not None
        lengths, entered, frames, length = stream.lengths.get, place, 0, 0
        while place < limit:
            found = lengths(block[place : place + 3])
            if found is None:
                self._stream = None
                break
            length = found
            place += length
            frames += 1
        if place > len(block):  # the file's last one is cut off
            frames -= 1
            self._sound_bytes -= length
        self._length_s += frames * stream.samples / stream.rate_hz
        self._sound_bytes += place - entered
        return place

    def enter(self, block: bytes, place: int, limit: int) -> int:
        """Find where a stream begins: behind tags, and whatever else is no frame."""
        while 0 <= place < limit:
            skipped = _tag_bytes(block, place)
            if skipped:
                place += skipped
                continue
            stream = _stream_at(block[place : place + 3])
            if stream is not None and _goes_on(block, place, stream):
                self._stream = stream
                channels = 1 if block[place + 3 : place + 4] >= b"\xc0" else 2
                self._first = self._first or (stream.rate_hz, channels)
                if _is_header(block, place, stream):
                    place += stream.lengths[block[place : place + 3]]
                return place
            # One search for all marks: one for each would read the rest of the block every time.
            following = _MARK.search(block, place + 1, limit)
            place = following.start() if following else limit
        return place


_MARK = re.compile(rb"\xff|ID3|APETAGEX")


def _tag_bytes(block: bytes, place: int) -> int:
    """The length of the tag that begins at a place; 0 where none does."""
    head = block[place : place + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    if head[:8] == b"APETAGEX" and len(head) == 32:
        return 32 + min(int.from_bytes(head[12:16], "little"), len(block))
    return 0


def _goes_on(block: bytes, place: int, stream: _Stream) -> bool:
    for _ in range(_NEEDED_FRAMES):
        length = stream.lengths.get(block[place : place + 3])
        if length is None:
            return False
        place += length
        if place >= len(block):
            break
    return True


def _is_header(block: bytes, place: int, stream: _Stream) -> bool:
    """Whether a frame is a Xing, Info or VBRI header, which holds no sound."""
    side_bytes = stream.side_bytes[block[place + 3 : place + 4] >= b"\xc0"]
    offset = place + 4 + side_bytes
    vbri = place + _VBRI_OFFSET
    return block[offset : offset + 4] in _HEADERS or block[vbri : vbri + 4] == b"VBRI"
