"""libsndfile as a decoder, through soundfile: the faster one for MP3 and WAV."""

import os
from collections.abc import Iterator

import numpy as np
import soundfile

from services.analyzer.decode.audio import (
    MAX_CHANNELS,
    Audio,
    Samples,
    block_size,
    check_sample_rate,
)

_VORBIS_CHANNELS = {
    3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4], 7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}  # fmt: skip
"""By number of channels: where each channel is in Vorbis' order (Vorbis I specification, 4.3.9).
The target order is that of all other formats: left, right, centre, LFE, then the surrounds."""
_MP3_LENGTH_HEADERS = (b"Xing", b"Info", b"VBRI")
_FIRST_FRAME_BYTES = 4_096


class LengthUnknown(Exception):
    """The MP3 states no length: libsndfile would decode only as much as it guesses."""


class _SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc] # soundfile has no types
    """A file that is read from start to end, without seeking.

    After each read of a seekable file, soundfile seeks to the position where it already is. MP3
    frames need the frames before them, so each such seek gives wrong samples, and takes time.
    """

    def seekable(self) -> bool:
        """Answer no, so that soundfile never seeks."""
        return False


def open_sndfile(path: bytes) -> Audio:
    """Open a file with libsndfile.

    Raises:
        soundfile.LibsndfileError: libsndfile cannot open it.
        LengthUnknown: it is an MP3 that states no length.
        ValueError: its sample rate is absurd.
        OSError: it cannot be read.
    """
    file = _SequentialSoundFile(path)
    check_sample_rate(file.samplerate)
    if file.format == "MP3" and not _states_length(path):
        raise LengthUnknown
    expected_s = file.frames / file.samplerate if 0 < file.frames < 2**48 else None
    size = block_size(file.samplerate)
    order = _VORBIS_CHANNELS.get(file.channels) if file.format == "OGG" else None

    def blocks() -> Iterator[Samples]:
        with file:
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                channels = block.T if order is None else block.T[order]
                yield np.ascontiguousarray(channels[:MAX_CHANNELS])

    return Audio(file.samplerate, expected_s, blocks(), damaged=_is_truncated_wav(path))


def _states_length(path: bytes) -> bool:
    """Whether the first frame of an MP3 states the length, as most encoders write it.

    Without it, libsndfile guesses the length from the first bit rate, which is wrong for VBR.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        header = file.read(10)
        if header[:3] == b"ID3" and len(header) == 10:
            a, b, c, d = header[6:]  # the size of an ID3 tag has seven bits a byte
            file.seek(10 + (a << 21 | b << 14 | c << 7 | d))
        else:
            file.seek(0)
        first_frame = file.read(_FIRST_FRAME_BYTES)
    return any(name in first_frame for name in _MP3_LENGTH_HEADERS)


def _is_truncated_wav(path: bytes) -> bool:
    """Whether a WAV file is shorter than its header states: libsndfile ignores that."""
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        header = file.read(12)
        riff_size = int.from_bytes(header[4:8], "little")
        # Programs that stream write 0 or the highest number.
        has_size = header[:4] == b"RIFF" and header[8:] == b"WAVE" and 0 < riff_size < 0xFFFF_FF00
        return has_size and riff_size + 8 > file.seek(0, os.SEEK_END)
