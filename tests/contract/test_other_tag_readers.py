"""The same files, read by us and by others: `docs/tags.md` lists and explains each difference."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contract.tagged_files import FFMPEG, Corpus, Facts, differences, read_by_us
from tests.engines.taggers import reader, taggers
from tests.fetch_debian import NotFetched

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "tags.md").read_text()
_READERS = {"FFmpeg": None, "TagLib": "taglib", "mediafile": "mediafile",
            "music-metadata": "music-metadata"}  # fmt: skip
_FIELDS = {
    "title": "title", "artists": "artists", "album": "album", "album artist": "album_artist",
    "track number": "track", "disc number": "disc", "date": "date", "genres": "genres",
    "duration": "duration_s", "channels": "channels", "sample rate": "rate_hz", "codec": "codec",
    "covers": "covers", "file": "file",
}  # fmt: skip
"""The names of the fields in the document."""
_FILE = re.compile(r"`(\.[\w.]+)`(?: \(([^)]*)\))?")


class Case(NamedTuple):
    """A field of a file that a tagger wrote."""

    tagger: str
    suffix: str
    field: str


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Files with the tags of all taggers that can be had here."""
    made = Corpus(tmp_path_factory.mktemp("tagged"))
    for tagger in taggers()[0]:
        made.tag_with(tagger)
    return made


@pytest.fixture(scope="module")
def ours(corpus: Corpus) -> dict[Path, Facts]:
    return {file.path: read_by_us(file.path) for file in corpus.files}


def _rows(name: str) -> Iterator[tuple[str, str]]:
    """Field and files of each difference that the document lists for a reader."""
    for line in re.findall(rf"^\| {name} \|.*", _DOCUMENT, re.MULTILINE):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells[3]) > 10, f"no reason: {line}"
        yield from ((_FIELDS[field], cells[2]) for field in cells[1].split(", "))


def _listed(name: str, tested: set[tuple[str, str]]) -> set[Case]:
    """The differences that the document lists, as far as taggers and files are tested here."""
    found: set[Case] = set()
    for field, files in _rows(name):
        for suffix, named in _FILE.findall(files):
            taggers = named.split(", ") if named else [one for one, at in tested if at == suffix]
            found |= {Case(one, suffix, field) for one in taggers if (one, suffix) in tested}
    return found


@pytest.mark.parametrize("name", _READERS)
def test_differences_to_other_readers_are_those_of_the_document(
    name: str, corpus: Corpus, ours: dict[Path, Facts]
) -> None:
    program = _READERS[name]
    try:
        other = FFMPEG if program is None else reader(program)
    except NotFetched as error:
        pytest.skip(f"{name} is not available here: {error}")
    theirs = other.run([file.path for file in corpus.files], corpus.values)
    found = {
        Case(file.tagger, file.suffix, field): values
        for file in corpus.files
        for field, values in differences(
            other.name, theirs.get(str(file.path)), ours[file.path]
        ).items()
    }
    listed = _listed(name, {(file.tagger, file.suffix) for file in corpus.files})
    assert {case: found[case] for case in found.keys() - listed} == {}, "unexplained differences"
    assert listed - found.keys() == set(), "differences that are no longer there"


def test_all_taggers_are_there() -> None:
    missing = taggers()[1]
    if missing:
        pytest.skip(f"some taggers are not available here: {'; '.join(missing)}")


def test_every_container_is_tagged_by_somebody(corpus: Corpus) -> None:
    assert {file.suffix for file in corpus.files} >= corpus.tones.keys()
    assert all(found["title"] for found in map(read_by_us, (file.path for file in corpus.files)))
