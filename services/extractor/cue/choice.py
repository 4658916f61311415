"""Decides which cue sheet of a file counts, and what becomes of the file by it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.extractor.cue.parts import Part, filled_tags, part_tags, parts_of
from services.extractor.cue.sheet import LARGEST_SHEET_BYTES, parse_sheet
from services.extractor.cue.sidecars import SheetOfFile, base_name, stem_of
from services.extractor.read.metadata import Metadata
from services.extractor.tags.raw_tags import RawTags
from shared.contracts.identity import display_path

EMBEDDED = "embedded"
"""The name of a cue sheet that is in the music file itself."""
_AUDIOBOOK = ".m4b"
_MOST_PROBLEMS = 3


class Choice(NamedTuple):
    """What cue sheets make of a file.

    Attributes:
        raw: the tags of the whole file.
        parts: the tracks in it, each with its raw tags; none where it stays whole.
        problem: why a cue sheet of the file was passed over.
    """

    raw: RawTags
    parts: Sequence[tuple[Part, RawTags]] = ()
    problem: str | None = None


def apply_sheets(
    metadata: Metadata, file_name: str, beside: Sequence[SheetOfFile], suffix: str
) -> Choice:
    """The parts of a file by the first of its sheets that fits it; one that does not is named.

    Of an audiobook (m4b) a sheet makes chapters, if it has none, and no parts.

    Args:
        metadata: of the file; it gets the chapters.
        file_name: the file's.
        beside: the sheets beside it, the best first.
        suffix: the ending of the file's name.
    """
    raw = metadata.raw
    problems: list[str] = []
    for name, sheet, file in (*beside, *_embedded(metadata, file_name)):
        problem = sheet.problem
        try:
            found = [] if problem else parts_of(sheet, file, name, metadata.audio.duration_s)
        except ValueError as error:
            problem = str(error)
        if problem:
            problems.append(f"{display_path(name)}: {problem}")
            continue
        tracks = [track for track in sheet.tracks_of(file) if track.is_audio]
        if found and suffix == _AUDIOBOOK:
            metadata.chapters = metadata.chapters or [
                (part.start_s, part.end_s, "".join(track.tags.get("title", ())[:1]))
                for part, track in found
            ]
        elif found:
            parts = [(part, part_tags(raw, sheet, track)) for part, track in found]
            return Choice(raw, parts, _joined(problems))
        elif len(tracks) == 1 and "title" not in raw:
            raw = filled_tags(raw, sheet, tracks[0])
        if tracks:
            break
    return Choice(raw, (), _joined(problems))


def _joined(problems: Sequence[str]) -> str | None:
    return "; ".join(problems[:_MOST_PROBLEMS]) or None


def _embedded(metadata: Metadata, file_name: str) -> Iterator[SheetOfFile]:
    """The sheets in the file: a text, then FLAC's block."""
    for text in metadata.raw.get("cuesheet", ())[:1]:
        sheet = parse_sheet(text[:LARGEST_SHEET_BYTES])
        own = [
            n
            for n, named in enumerate(sheet.files)
            if stem_of(base_name(named)) == stem_of(file_name)
        ]
        # The one file of a sheet in a file is that one, whatever it is called.
        if own or len(sheet.files) <= 1:
            yield SheetOfFile(EMBEDDED, sheet, own[0] if own else 0)
    if metadata.sheet is not None:
        yield SheetOfFile(EMBEDDED, metadata.sheet)
