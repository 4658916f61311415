"""What a file holds by its own bytes: its parts, how long they play, and whether bytes are lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import SEEK_CUR, SEEK_END


@dataclass(frozen=True)
class Part:
    """A stretch of a file that is a whole file of its own, as in joined MP3s or a chained Ogg.

    Attributes:
        start: its first byte.
        end: the byte after its last one.
        duration_s: how long it plays, None where the bytes do not say.
        rate_hz: its sample rate.
        channels: its number of channels.
    """

    start: int
    end: int
    duration_s: float | None
    rate_hz: int
    channels: int


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        size_bytes: the size of the file.
        container: FFmpeg's name of the container where `parts` are known, else empty.
        parts: the parts in order; none where the container has none that can be counted.
        is_damaged: bytes between the frames are no audio and no tag, or the end is cut off.
        tolerance_s: how much shorter than counted an intact file may be: encoders pad the ends.
        is_length_stated: a Xing or Info header states the number of frames that are there.
        end: the byte after its last one, where a decoder must not see what is behind it.
        corrections: what to read at an offset, instead of bytes of the header that are wrong.
    """

    size_bytes: int
    container: str = ""
    parts: Sequence[Part] = ()
    is_damaged: bool = False
    tolerance_s: float = 0.0
    is_length_stated: bool = False
    end: int | None = None
    corrections: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def duration_s(self) -> float | None:
        """How long all parts play, None where that is not known."""
        durations = [part.duration_s for part in self.parts]
        known = [duration_s for duration_s in durations if duration_s is not None]
        return sum(known) if known and len(known) == len(durations) else None


def id3v2_size(header: bytes) -> int:
    """The size of an ID3v2 tag in bytes by its header of ten bytes, 0 if it is none."""
    if header[:3] != b"ID3" or len(header) < 10 or max(header[6:10]) > 127:
        return 0
    a, b, c, d = header[6:10]  # seven bits a byte
    has_footer = header[5] & 0x10
    return 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if has_footer else 0)


NOTHING: Mapping[int, bytes] = {}


class FileSlice:
    """A part of a file as a file, for FFmpeg to read.

    Args:
        path: of the file.
        start: the first byte of the part.
        end: the byte after its last one.
        corrections: bytes to read instead of the file's own, by their offset in the part.
    """

    def __init__(
        self, path: bytes, start: int, end: int, corrections: Mapping[int, bytes] = NOTHING
    ) -> None:
        self._file = open(path, "rb")  # noqa: SIM115, PTH123 - closed by `close`; the path is bytes
        self._start, self._size, self._position = start, end - start, 0
        self._corrections = corrections

    def read(self, count: int = -1) -> bytes:
        """The next bytes, none at the end of the part."""
        left = max(0, self._size - self._position)
        self._file.seek(self._start + self._position)
        read = self._file.read(left if count < 0 else min(count, left))
        for offset, content in self._corrections.items():
            place = offset - self._position
            if -len(content) < place < len(read):
                corrected = bytearray(read)
                first = max(0, place)
                part = content[first - place : len(read) - place]
                corrected[first : first + len(part)] = part
                read = bytes(corrected)
        self._position += len(read)
        return read

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move within the part."""
        base = {SEEK_CUR: self._position, SEEK_END: self._size}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """The position within the part."""
        return self._position

    def close(self) -> None:
        """Close the file."""
        self._file.close()
