"""From a file to samples: libsndfile for some formats, FFmpeg's libraries for others.

Each is the other's fallback, since some files open in one of them only. Routing by what was
measured to be quicker.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import PurePath

import av
import numpy as np
import soundfile

from services.analyzer.audio import MOST_CHANNELS, Audio, Samples, check_rate, portion_of
from services.analyzer.ffmpeg import open_packets, open_whole
from shared.contracts.errors import InvalidInput, TransientError

_SNDFILE_FIRST = frozenset({".mp3", ".wav"})
_OGG_CHANNELS = {
    3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4], 7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}  # fmt: skip
"""Where in Vorbis' order (its specification, 4.3.9) the channels are, in the order of all others:
left, right, centre, LFE, then the surrounds."""
_LENGTH_FRAMES = (b"Xing", b"Info", b"VBRI")
_FIRST_FRAME_BYTES = 4_096


class Undecodable(InvalidInput):
    """Nothing of the file can be decoded: it is damaged, or no audio. Replace it."""


class _LengthGuessed(Exception):
    """Libsndfile would read as much as it guesses that there is."""


def open_audio(path: bytes) -> Audio:
    """Open a file with the first decoder that gets samples out of it.

    Args:
        path: of the file on this host.

    Raises:
        Undecodable: no decoder can.
        TransientError: the disk or its mount failed.
    """
    return next(opened_by_each(path))


def opened_by_each(path: bytes) -> Iterator[Audio]:
    """The file as each decoder has it that gets samples out of it, the quickest one first.

    Raises:
        Undecodable: none can.
        TransientError: the disk or its mount failed.
    """
    reasons: list[str] = []
    is_open = False
    for opener in _openers(path):
        try:
            audio = opener(path)
            first = next(audio.blocks, None)
        except (soundfile.LibsndfileError, _LengthGuessed):
            continue  # FFmpeg reads all that libsndfile does, and says better what is wrong
        except (av.FFmpegError, ValueError, IndexError) as error:
            reasons.append(_reason(error))
        except FileNotFoundError:
            raise Undecodable("the file is gone") from None
        except IsADirectoryError:
            raise Undecodable("it is a folder") from None
        except OSError as error:
            raise TransientError(f"the file cannot be read now: {error.strerror}") from None
        else:
            if first is None:
                reasons.append("it has no samples")
                continue
            audio.blocks = _with_first(first, audio.blocks)
            is_open = True
            yield audio
    if not is_open:
        why = "; ".join(dict.fromkeys(reasons)) or "it is damaged, or no audio"
        raise Undecodable(f"it cannot be decoded: {why}")


def _openers(path: bytes) -> tuple[Callable[[bytes], Audio], ...]:
    ending = PurePath(path.decode(errors="replace")).suffix.lower()
    if ending in _SNDFILE_FIRST:
        return (_open_sndfile, open_whole, open_packets)
    return (open_whole, open_packets, _open_sndfile)


def _with_first(first: Samples, rest: Iterator[Samples]) -> Iterator[Samples]:
    yield first
    yield from rest


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it has no sound"
    return (
        str(getattr(error, "strerror", None) or error).strip().rstrip(".").lower()
        or type(error).__name__
    )


class _ReadOn(soundfile.SoundFile):  # type: ignore[misc] # soundfile has no types
    """A file that is read from its beginning to its end, as it comes.

    soundfile seeks to where it is after each read of what can seek: by that an MP3, whose frames
    need those before them, has wrong samples at each seam, and takes longer.
    """

    def seekable(self) -> bool:
        """Say no, so that it never seeks."""
        return False


def _open_sndfile(path: bytes) -> Audio:
    file = _ReadOn(path)
    check_rate(file.samplerate)
    if file.format == "MP3" and not _tells_length(path):
        raise _LengthGuessed
    expected_s = file.frames / file.samplerate if 0 < file.frames < 2**48 else None
    portion = portion_of(file.samplerate)
    order = _OGG_CHANNELS.get(file.channels) if file.format == "OGG" else None

    def blocks() -> Iterator[Samples]:
        with file:
            while len(block := file.read(portion, dtype="float32", always_2d=True)):
                channels = block.T if order is None else block.T[order]
                yield np.ascontiguousarray(channels[:MOST_CHANNELS])

    return Audio(file.samplerate, expected_s, blocks(), damaged=_is_cut_wave(path))


def _tells_length(path: bytes) -> bool:
    """Whether the first frame of an MP3 tells the length, as most encoders have it.

    Else it is guessed from the first bit rate; of a variable one that is anything.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:]
            file.seek(10 + (a << 21 | b << 14 | c << 7 | d))
        else:
            file.seek(0)
        first = file.read(_FIRST_FRAME_BYTES)
    return any(name in first for name in _LENGTH_FRAMES)


def _is_cut_wave(path: bytes) -> bool:
    """Whether a WAV file is shorter than its header tells: libsndfile passes that over."""
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        head = file.read(12)
        told = int.from_bytes(head[4:8], "little")
        # Programs that stream write 0 or the highest number.
        is_wave = head[:4] == b"RIFF" and head[8:] == b"WAVE" and 0 < told < 0xFFFF_FF00
        return is_wave and told + 8 > file.seek(0, os.SEEK_END)
