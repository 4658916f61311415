"""Decoder selection: the fastest decoder first, each the fallback of the others.

Some files open in one decoder only. The order by file extension was chosen by measurement.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import PurePath

import av
import soundfile

from services.analyzer.decode.audio import Audio, LeftToAnotherDecoder, Samples
from services.analyzer.decode.content import content_of
from services.analyzer.decode.ffmpeg import open_filter_source, open_packets, open_parts
from services.analyzer.decode.file_range import WHOLE_FILE, FileRange, limit_to
from services.analyzer.decode.parts import Content
from services.analyzer.decode.sndfile import open_sndfile
from shared.contracts.errors import InvalidInput, TransientError

_SNDFILE_FIRST = frozenset({".wav", ".flac"})


class Undecodable(InvalidInput):
    """No decoder can decode any of the file: it is damaged, or not audio. Replace the file."""


def open_audio(path: bytes) -> Audio:
    """Open a file with the first decoder that returns samples.

    Raises:
        Undecodable: no decoder does.
        TransientError: the disk or its mount failed.
    """
    return next(open_with_each_decoder(path, read_content(path)))


def read_content(path: bytes) -> Content:
    """What a file holds by its bytes.

    Raises:
        Undecodable: it is gone, or a folder.
        TransientError: the disk or its mount failed.
    """
    with _disk_errors():
        return content_of(path)


def open_with_each_decoder(
    path: bytes, content: Content, wanted: FileRange = WHOLE_FILE
) -> Iterator[Audio]:
    """Open a file with each decoder that returns samples, the fastest one first.

    Args:
        path: of the file.
        content: what it holds; the duration that was counted replaces the header's.
        wanted: the range that is decoded.

    Raises:
        Undecodable: no decoder does.
        TransientError: the disk or its mount failed.
    """
    reasons: list[str] = []
    is_open = False
    for opener in _openers(path, content, wanted):
        try:
            with _disk_errors():
                audio = opener(path)
                if content.duration_s is not None:
                    audio.expected_s, audio.tolerance_s = content.duration_s, content.tolerance_s
                limit_to(audio, wanted)
                first = next(audio.blocks, None)
        except (soundfile.LibsndfileError, LeftToAnotherDecoder):
            continue  # FFmpeg reads all formats of libsndfile, and its messages say more
        except (av.FFmpegError, ValueError, IndexError) as error:
            reasons.append(reason_of(error))
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


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Give the errors of the disk the class that says what must be done about them."""
    try:
        yield
    except av.FFmpegError:  # some are an OSError, too
        raise
    except FileNotFoundError:
        raise Undecodable("the file is gone") from None
    except IsADirectoryError:
        raise Undecodable("it is a folder") from None
    except OSError as error:
        if error.errno == errno.EINVAL:  # FFmpeg seeks to where a damaged header points
            raise ValueError("its header points beyond the file") from None
        raise TransientError(f"the file cannot be read now: {error.strerror}") from None


def _openers(
    path: bytes, content: Content, wanted: FileRange
) -> tuple[Callable[[bytes], Audio], ...]:
    if content.end is not None or content.corrections:
        whole = partial(open_packets, content=content)
        return (partial(whole, start_s=wanted.start_s), whole) if wanted.start_s else (whole,)
    in_parts = partial(open_parts, container_format=content.container, parts=content.parts)
    if len(content.parts) > 1:
        return (in_parts, open_filter_source, open_packets, open_sndfile)
    if content.container == "mp3":
        # libsndfile guesses the length that no header states, and decodes no more than that.
        others = (in_parts, open_filter_source, open_packets)
        return (open_sndfile, *others) if content.is_length_stated else others
    extension = PurePath(path.decode(errors="replace")).suffix.lower()
    if wanted != WHOLE_FILE:
        by_sample = partial(open_sndfile, start_s=wanted.start_s)
        by_packet = partial(open_packets, start_s=wanted.start_s)
        # libsndfile leaves damaged frames of FLAC out, which shows in the length of the whole only.
        first = (by_packet, by_sample) if extension == ".flac" else (by_sample, by_packet)
        return (*first, open_filter_source, open_packets)
    if extension in _SNDFILE_FIRST:
        return (open_sndfile, open_filter_source, open_packets)
    return (open_filter_source, open_packets, open_sndfile)


def _with_first(first: Samples, rest: Iterator[Samples]) -> Iterator[Samples]:
    yield first
    yield from rest


# FFmpeg's own words name the file's path, or speak of the system: "operation not permitted".
_WORDS = (
    (IndexError, "it has no audio stream"),
    (av.error.EOFError, "it ends before its sound does"),
    (av.error.InvalidDataError, "it holds invalid data"),
    (av.error.DecoderNotFoundError, "there is no decoder for its codec"),
    (av.error.PatchWelcomeError, "there is no decoder for this kind of its codec"),
    (av.FFmpegError, "its headers contradict each other"),
    (ValueError, ""),
)


def reason_of(error: Exception) -> str:
    """Why a decoder refuses a file, without paths and the words of Python."""
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), "it is damaged")
    return words or str(error)
