"""The range of a file that is a track of a cue sheet: what lies around it is not heard."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from services.analyzer.decode.audio import Audio, Samples


class FileRange(NamedTuple):
    """A range in seconds from the file's beginning; `end_s` None is the file's end."""

    start_s: float = 0.0
    end_s: float | None = None


WHOLE_FILE = FileRange()


def limit_to(audio: Audio, wanted: FileRange) -> None:
    """Limit an open file to a range: its blocks, and how long it is expected to be."""
    if wanted == WHOLE_FILE:
        return
    end_s = audio.expected_s if wanted.end_s is None else wanted.end_s
    audio.expected_s = None if end_s is None else max(0.0, end_s - wanted.start_s)
    audio.blocks = _blocks(audio, audio.blocks, wanted)


def _blocks(audio: Audio, blocks: Iterator[Samples], wanted: FileRange) -> Iterator[Samples]:
    first = round(wanted.start_s * audio.rate_hz)
    last = math.inf if wanted.end_s is None else round(wanted.end_s * audio.rate_hz)
    position = None
    for block in blocks:
        # A decoder that was asked to begin later says where it did, once it has a block.
        begin = round(audio.first_s * audio.rate_hz) if position is None else position
        position = begin + block.shape[1]
        if position <= first:
            audio.damaged = False  # what a decoder complained of so far is in another track
            continue
        end = None if position <= last else int(last - begin)
        yield block[:, max(0, first - begin) : end]
        if position >= last:
            return
