"""`docs/tags.md`, row by row: each tag of each field in each container that can have it."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.extractor.paths import AUDIO_SUFFIXES
from services.extractor.read.file_reader import read_file
from services.extractor.tags import raw_tags
from services.extractor.tags.containers import asf, chunks, id3, mp4
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import AudioProperties
from services.extractor.tags.other_tags import FIELDS, LEFT_OUT
from tests.tag_samples import SAMPLES, sample
from tests.tag_writers import FREE_NAMES, ONE_VALUE, WRITERS

MakeFile = Callable[[str], Path]
DOCUMENT = (Path(__file__).parents[4] / "docs" / "tags.md").read_text()


def _table(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with `first`, starting with the head."""
    (block,) = re.findall(rf"^\| {first} \|.*\n(?:^\|.*\n)+", DOCUMENT, re.MULTILINE)
    lines = [re.split(r"\s*\|\s*", line)[1:-1] for line in block.splitlines()]
    return [lines[0], *lines[2:]]


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


_HEAD, *_LINES = _table("Field")
ROWS = {
    line[0].replace("`", ""): dict(zip(_HEAD[1:], map(_code, line[1:]), strict=True))
    for line in _LINES
}
TAGS_OF = {line[0]: _code(line[1]) for line in _table("Kind of tags")[1:]}
"""The suffixes of the files that can have each kind of tags."""


def _cases(name: str) -> Iterator[tuple[str, str, str]]:
    """The column, suffix and tag of each case in a row."""
    row = ROWS[name]
    for column, suffixes in TAGS_OF.items():
        for place in row[column]:
            yield from ((column, suffix, place) for suffix in suffixes)
    if sample(name).is_text:
        for free in {*row["Free names"], *row["Vorbis comments"]}:
            for column, before in FREE_NAMES.items():
                yield column, TAGS_OF[column][0], before + free


def _write(name: str, column: str, place: str, path: Path) -> Any:
    """Write a sample and the fields that it needs; returns the expected value."""
    field = sample(name)
    values = [field.at.get(place.removeprefix("TXXX:").removeprefix("----:"), field.values[0])]
    if values == field.values[:1] and column not in ONE_VALUE:
        values = list(field.values)
    places = {place: values}
    for needed in field.needs:
        places[ROWS[needed][column][0]] = [SAMPLES[needed].values[0]]
    WRITERS[column](path, places)
    return field.expect(values)


@pytest.mark.parametrize("name", ROWS)
def test_a_field_is_read_from_each_of_its_tags_in_each_container(
    name: str, make_file: MakeFile
) -> None:
    problems: list[str] = []
    cases = list(_cases(name))
    for column, suffix, place in cases:
        path = make_file(f"a{suffix}")
        expected = _write(name, column, place, path)
        actual = sample(name).read(read_file(os.fsencode(path)))
        if actual != expected:
            problems.append(f"{place} in {suffix} ({column}): {actual!r}, not {expected!r}")
    assert cases
    assert problems == []


def test_the_document_has_each_field_once_and_each_kind_of_tags() -> None:
    assert len(ROWS) == len(_LINES)
    assert {name for name in ROWS if "otherTags" not in name} == set(SAMPLES)
    assert [*WRITERS, "Free names"] == _HEAD[1:]
    assert list(TAGS_OF) == list(WRITERS)


def test_each_suffix_of_music_is_tested_or_an_alias_of_a_tested_one() -> None:
    tested = {Path(f"a{suffix}").suffix for suffixes in TAGS_OF.values() for suffix in suffixes}
    others = dict(re.findall(r"`(\.[\w+]+)` as\s`(\.\w+)`", DOCUMENT))
    tested.add(".mka")  # in test_headers.py: Matroska's tags have a table of their own
    assert tested | set(others) == AUDIO_SUFFIXES
    assert tested >= set(others.values())


def _places(*columns: str) -> set[str]:
    return {place for row in ROWS.values() for column in columns for place in row[column]}


def test_the_document_has_all_tags_that_the_code_maps() -> None:
    frames = _places("ID3v2.4", "ID3v2.3")
    assert {*id3.FRAMES, *id3.SPECIAL} - {"WXXX", "GEOB", "PRIV"} <= {
        place.split(":")[0] for place in frames
    }
    roles = {place.split(":")[1].lower() for place in frames if place.startswith("TIPL:")}
    assert set(id3.PEOPLE) <= roles
    assert {*mp4.ATOMS, *mp4.NUMBERS, *mp4.FLAGS, *mp4.PAIRS} <= _places("MP4")
    attributes = {place.lower() for place in _places("ASF")}
    assert set(asf.ATTRIBUTES) <= attributes
    assert {name.decode().strip() for name in chunks.INFO} == _places("RIFF INFO")
    assert {name.decode().strip() for name in chunks.AIFF} == _places("AIFF")


def test_the_document_has_all_aliases_that_the_code_maps() -> None:
    written = _places("Vorbis comments", "APEv2", "Free names", "ASF", "ID3v2.4", "MP4")
    plain = {re.sub(r"^(?:TXXX|----):", "", place).lower() for place in written}
    plain |= {place.replace("musicbrainz/", "musicbrainz ") for place in plain}
    read = {alias for alias, name in raw_tags.ALIASES.items() if name not in LEFT_OUT}
    assert read - plain == set()


class _RecordingTags(dict[str, list[str]]):
    """Tags that record which names are read."""

    names: set[str]

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def test_the_document_has_all_fields_that_the_code_reads() -> None:
    tags = _RecordingTags(
        album=["A"], composer=["C"]
    )  # albums and single composers have further fields
    tags.names = set()
    map_tags(tags, AudioProperties("flac", "flac", 1.0), file_name="a.flac")
    assert tags.names == FIELDS
    free = _places("Vorbis comments", "Free names")
    assert FIELDS - {raw_tags.internal_name(place) for place in free} == set()
