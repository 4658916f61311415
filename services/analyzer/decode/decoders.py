"""Decoder selection: the fastest decoder first, each the fallback of the others.

Some files open in one decoder only. The order by file extension was chosen by measurement.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePath

import av
import soundfile

from services.analyzer.decode.audio import Audio, Samples
from services.analyzer.decode.ffmpeg import open_filter_source, open_packets
from services.analyzer.decode.sndfile import LengthUnknown, open_sndfile
from shared.contracts.errors import InvalidInput, TransientError

_SNDFILE_FIRST = frozenset({".mp3", ".wav"})


class Undecodable(InvalidInput):
    """No decoder can decode any of the file: it is damaged, or not audio. Replace the file."""


def open_audio(path: bytes) -> Audio:
    """Open a file with the first decoder that returns samples.

    Raises:
        Undecodable: no decoder does.
        TransientError: the disk or its mount failed.
    """
    return next(open_with_each_decoder(path))


def open_with_each_decoder(path: bytes) -> Iterator[Audio]:
    """Open a file with each decoder that returns samples, the fastest one first.

    Raises:
        Undecodable: no decoder does.
        TransientError: the disk or its mount failed.
    """
    reasons: list[str] = []
    is_open = False
    for opener in _openers(path):
        try:
            audio = opener(path)
            first = next(audio.blocks, None)
        except (soundfile.LibsndfileError, LengthUnknown):
            continue  # FFmpeg reads all formats of libsndfile, and its messages say more
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
        reason = "; ".join(dict.fromkeys(reasons)) or "it is damaged, or no audio"
        raise Undecodable(f"it cannot be decoded: {reason}")


def _openers(path: bytes) -> tuple[Callable[[bytes], Audio], ...]:
    extension = PurePath(path.decode(errors="replace")).suffix.lower()
    if extension in _SNDFILE_FIRST:
        return (open_sndfile, open_filter_source, open_packets)
    return (open_filter_source, open_packets, open_sndfile)


def _with_first(first: Samples, rest: Iterator[Samples]) -> Iterator[Samples]:
    yield first
    yield from rest


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it has no audio stream"
    return (
        str(getattr(error, "strerror", None) or error).strip().rstrip(".").lower()
        or type(error).__name__
    )
