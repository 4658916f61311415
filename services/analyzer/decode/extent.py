"""Where a file ends by its own structure: cut, whole, with tags behind it, or with another file.

FFmpeg takes some of what stands behind a file for sound and complains, or refuses the file. No
decoder notices that a second file was appended to one whose header states a length.

Sources: Microsoft's "Multimedia Programming Interface 1.0" (RIFF), EBU Tech 3306 (RF64), Apple's
"AIFF 1.3", Sony's "DSF File Format Specification", Philips' "DSDIFF 1.5", Microsoft's "ASF
Specification", "WavPack 4 & 5 Binary File / Block Format", the "TTA1 format description", ISO/IEC
14496-12 (MP4), RFC 9559 (Matroska), ETSI TS 102 366 (AC-3).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from services.analyzer.decode.parts import Content

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_UNKNOWN_SIZES = (range(1), range(0x7FFF_0000, 0x8001_0000), range(0xFFFF_FF00, 1 << 32))
"""What programs that stream write where they do not know the size yet."""
_SLACK_BYTES = 8
"""Some programs count the chunk's own header into its size."""
_DSF_PADDING = 8 * 4_096
"""A channel's last block is filled up with so many samples at most."""
_LOOKED_AT_BYTES = 1 << 16
_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICSBEGIN")
_SEGMENT = b"\x18\x53\x80\x67"
_AC3_KBPS = (
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
)  # fmt: skip
_HIGHEST_AC3_ID = 10
_HIGHEST_EAC3_ID = 16


class _Bytes:
    """The bytes of a file. A damaged header may point anywhere, where seeking fails."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size

    def read(self, position: int, count: int) -> bytes:
        """The bytes from a position on, fewer or none at the end of the file."""
        if position >= self.size:
            return b""
        self._file.seek(position)
        return self._file.read(min(count, self.size - position))

    def number(self, position: int, count: int, order: Literal["little", "big"] = "little") -> int:
        """The unsigned number at a position."""
        return int.from_bytes(self.read(position, count), order)


Measure = Callable[[_Bytes, int], int | None]
"""From the file and its first byte to the byte after its last one; None if unknown."""
Correct = Callable[[_Bytes, int, int], Mapping[int, bytes]]
"""From the file, its first byte and its end to what must be read at an offset instead."""


@dataclass(frozen=True)
class _Kind:
    """A kind of file.

    Attributes:
        head: matches its beginning, and that of another one behind it.
        measure: finds its end.
        is_bounded: FFmpeg must not see what is behind its end.
        correct: finds what is wrong in its header.
        goes_on: FFmpeg plays another file of this kind behind it.
    """

    head: "re.Pattern[bytes]"
    measure: Measure
    is_bounded: bool
    correct: Correct
    goes_on: bool


def bounded_content(file: BinaryIO, start: int, size_bytes: int) -> Content | None:
    """What a file holds, the content of which begins at `start`; None where its kind is unknown."""
    content = _Bytes(file, size_bytes)
    head = content.read(start, 16)
    kind = next((kind for kind in _KINDS if kind.head.match(head)), None)
    if kind is None:
        return None
    end = kind.measure(content, start)
    corrections = kind.correct(content, start, size_bytes if end is None else min(end, size_bytes))
    if end is None or end > size_bytes:
        is_cut = end is not None and end > size_bytes + _SLACK_BYTES
        return Content(size_bytes, is_damaged=is_cut, corrections=corrections)
    behind = content.read(end, _LOOKED_AT_BYTES)
    is_joined = not kind.goes_on and kind.head.search(behind) is not None
    is_tag = behind.startswith(_TAGS) or not behind.strip(b"\0")
    has_end = kind.is_bounded and bool(behind) and (is_tag or is_joined)
    return Content(
        size_bytes, is_damaged=is_joined, end=end if has_end else None, corrections=corrections
    )


def _riff_end(file: _Bytes, start: int) -> int | None:
    if file.read(start, 4) != b"RIFF":
        size = file.number(start + 20, 8)  # its chunk `ds64` is the first one
        return start + 8 + size if size else None
    size = file.number(start + 4, 4)
    return None if _is_unknown(size) else start + 8 + size


def _is_unknown(size: int) -> bool:
    return any(size in unknown for unknown in _UNKNOWN_SIZES)


def _aiff_end(file: _Bytes, start: int) -> int | None:
    size = file.number(start + 4, 4, "big")
    return None if _is_unknown(size) else start + 8 + size


def _dsf_end(file: _Bytes, start: int) -> int | None:
    data = start + 28 + file.number(start + 32, 8)
    return data + file.number(data + 4, 8) if file.read(data, 4) == b"data" else None


def _dsdiff_end(file: _Bytes, start: int) -> int:
    return start + 12 + file.number(start + 4, 8, "big")


def _asf_end(file: _Bytes, start: int) -> int | None:
    """The end of the header, the data and the indexes: objects that have a GUID and a size."""
    end, objects = start, 0
    while end < file.size:
        head = file.read(end, 24)
        size = int.from_bytes(head[16:], "little")
        is_behind = objects > 1 and end + size > file.size  # of something else
        if size < 24 or is_behind or (objects and head[:16] == _ASF_HEADER):
            break
        end, objects = end + size, objects + 1
    return end if objects > 1 else None


def _wavpack_end(file: _Bytes, start: int) -> int:
    end = start
    while end < file.size:
        head = file.read(end, 8)
        if head[:4] != b"wvpk":
            break
        end += 8 + int.from_bytes(head[4:], "little")
    return end


def _tta_end(file: _Bytes, start: int) -> int | None:
    """The end of the frames, whose sizes a table holds."""
    header = file.read(start, 22)
    rate_hz, samples = (int.from_bytes(header[at : at + 4], "little") for at in (10, 14))
    frame_samples = 256 * rate_hz // 245
    if not frame_samples:
        return None
    frames = -(-samples // frame_samples)
    table = file.read(start + len(header), 4 * frames + 4)
    if len(table) < 4 * frames + 4:
        return None
    sizes = sum(int.from_bytes(table[at : at + 4], "little") for at in range(0, 4 * frames, 4))
    return start + len(header) + len(table) + sizes


def _mp4_end(file: _Bytes, start: int) -> int | None:
    """The end of the boxes, up to the second movie or `ftyp`."""
    end, seen = start, set()
    while end < file.size:
        head = file.read(end, 16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if size < 8 or not name.strip() or (name == b"ftyp" and name in seen):
            break
        seen.add(name)
        end += size
    # A file that is cut has no table of its samples, or less sound than the table says.
    return end if end < file.size else None


def _matroska_end(file: _Bytes, start: int) -> int | None:
    """The end of the first segment, which follows the EBML header."""
    segment = _ebml_end(file, start)
    is_segment = segment is not None and file.read(segment, 4) == _SEGMENT
    return _ebml_end(file, segment) if segment is not None and is_segment else None


def _ebml_end(file: _Bytes, position: int) -> int | None:
    """The end of the element with an id of four bytes that begins here, None if it is unknown."""
    coded = file.read(position + 4, 8)
    width = 9 - coded[0].bit_length() if coded else 9  # of the size, marked by its leading zeros
    mask = (1 << 7 * width) - 1
    size = int.from_bytes(coded[:width], "big") & mask
    return None if len(coded) < width or size == mask else position + 4 + width + size


def _ac3_end(file: _Bytes, start: int) -> int:
    end = start
    while end < file.size:
        size = _ac3_frame_bytes(file.read(end, 6))
        if not size:
            break
        end += size
    return end


def _ac3_frame_bytes(head: bytes) -> int:
    """The size of the frame that begins so, 0 if none does."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return 0
    stream_id = head[5] >> 3
    if stream_id > _HIGHEST_AC3_ID:  # E-AC-3
        words = (head[2] & 7) << 8 | head[3]
        return 2 * (words + 1) if stream_id <= _HIGHEST_EAC3_ID else 0
    rate, code = head[4] >> 6, head[4] & 63
    if rate > 2 or code // 2 >= len(_AC3_KBPS):
        return 0
    kbps = _AC3_KBPS[code // 2]
    return (4 * kbps, 2 * (kbps * 320 // 147 + code % 2), 6 * kbps)[rate]


def _nothing(_: _Bytes, __: int, ___: int) -> Mapping[int, bytes]:
    return {}


def _rf64_without_size(file: _Bytes, start: int, _: int) -> Mapping[int, bytes]:
    """RF64 from a pipe states 0 bytes of sound; as RIFF it lasts to the end of the file."""
    is_rf64 = file.read(start, 4) != b"RIFF"
    return {start: b"RIFF"} if is_rf64 and not file.number(start + 28, 8) else {}


def _dsf_samples(file: _Bytes, start: int, end: int) -> Mapping[int, bytes]:
    """The number of samples by the bytes of sound, where the header states far fewer.

    FFmpeg then ends at once, without a sample.
    """
    channels, samples = file.number(start + 52, 4), file.number(start + 64, 8)
    data = start + 28 + file.number(start + 32, 8) + 12
    held = 8 * max(0, end - data) // max(1, channels)
    is_wrong = samples + _DSF_PADDING < held
    return {start + 64: held.to_bytes(8, "little")} if is_wrong else {}


def _kind(
    pattern: bytes, measure: Measure, correct: Correct = _nothing, *,
    is_bounded: bool = False, goes_on: bool = False,
) -> _Kind:  # fmt: skip
    return _Kind(re.compile(pattern, re.DOTALL), measure, is_bounded, correct, goes_on)


_KINDS = (
    _kind(rb"(?:RIFF|RF64|BW64)....WAVE", _riff_end, _rf64_without_size),
    _kind(rb"FORM....AIF[FC]", _aiff_end),
    _kind(rb"DSD \x1c\0{7}", _dsf_end, _dsf_samples, is_bounded=True),
    _kind(rb"FRM8.{8}DSD ", _dsdiff_end, is_bounded=True),
    _kind(re.escape(_ASF_HEADER), _asf_end, is_bounded=True),
    _kind(rb"wvpk.{4}.\x04", _wavpack_end, is_bounded=True),
    _kind(rb"TTA1[\1\3]\0", _tta_end),
    _kind(rb"\0..[\x08-\xff]ftyp", _mp4_end),
    _kind(rb"\x1a\x45\xdf\xa3", _matroska_end, goes_on=True),
    _kind(rb"\x0b\x77....", _ac3_end, is_bounded=True),
)
