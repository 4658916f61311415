"""Lyrics, ratings of other programs, kinds of recordings, and tags without a field."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.read.file_reader import read_file
from services.extractor.tags.imported_facts import imported_facts
from services.extractor.tags.lyrics import LYRICS_LIMIT, lyrics, timed_lines
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import (
    AudioProperties,
    Lyrics,
    Movement,
    Tags,
)
from services.extractor.tags.other_tags import (
    FIELDS,
    MOST_NAMES,
    TOTAL_LIMIT,
    other_tags,
)
from services.extractor.tags.raw_tags import RawTags
from shared.gateway.inputs import ImportedFactInput

AUDIO = AudioProperties("flac", "flac", 1.0)
MakeFile = Callable[[str], Path]


def tags_of(**raw: list[str]) -> Tags:
    return map_tags(raw, AUDIO, file_name="a.flac")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[00:01.50]One\n[01:02.003]Two", [(1_500, "One"), (62_003, "Two")]),
        ("[ar:A]\n[00:02]Two\n[00:01][00:03]Odd", [(1_000, "Odd"), (2_000, "Two"), (3_000, "Odd")]),
        ("[offset:+500]\n[00:01.00]One", [(500, "One")]),
        ("[offset:x]\n[00:01:25]One <00:01.30>word", [(1_250, "One word")]),
        ("[00:01.00]One\n[00:01.00]Eins", [(1_000, "One"), (1_000, "Eins")]),
        ("[00:01.00]", [(1_000, "")]),
        ("Just words\n[Chorus]", []),
    ],
)
def test_timed_lines_are_read(written: str, expected: list[tuple[int, str]]) -> None:
    assert timed_lines(written) == expected


def test_lyrics_are_plain_or_synced_by_their_content() -> None:
    assert lyrics(["[00:01.00]One"], []) == Lyrics(synced="[00:01.000]One")
    assert lyrics(["la"], ["[00:01.00]One"]) == Lyrics("la", "[00:01.000]One")
    assert lyrics(["", " "], []) is None
    assert lyrics(["x" * 1_000_000], []) == Lyrics("x" * LYRICS_LIMIT)
    line = lyrics([], ["[00:01.00]" + "x" * 900 + "\n"])
    assert line == Lyrics(synced="[00:01.000]" + "x" * 900)
    long = lyrics([], ["\n".join(f"[00:01.00]{'x' * 900}" for _ in range(5_000))])
    assert long is not None
    assert len(long.synced or "") <= LYRICS_LIMIT


@given(st.binary(max_size=500))
def test_any_sidecar_file_gives_lyrics(content: bytes) -> None:
    found = lyrics(["embedded"], [], content)
    assert found is not None
    assert found.plain or found.synced


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.lrc", "[00:01.00]Jóga".encode(), Lyrics(synced="[00:01.000]Jóga", is_sidecar=True)),
        ("a.LRC", "J\xf3ga".encode("cp1252"), Lyrics("Jóga", is_sidecar=True)),
        ("a.lrc", "[00:01.00]Jóga".encode("utf-16"), Lyrics(None, "[00:01.000]Jóga", True)),
        ("a.lrc", b"", Lyrics("embedded")),
        ("b.lrc", b"another's", Lyrics("embedded")),
    ],
)
def test_lyrics_in_a_sidecar_take_precedence_over_those_in_the_file(
    name: str, content: bytes, expected: Lyrics, make_file: MakeFile
) -> None:
    path = make_file("a.flac")
    file: Any = mutagen.File(path)
    file.update(lyrics="embedded")
    file.save()
    path.with_name(name).write_bytes(content)
    assert read_file(os.fsencode(path)).tags.lyrics == expected


def test_a_folder_or_a_pipe_is_no_sidecar(make_file: MakeFile) -> None:
    path = make_file("a.flac")
    path.with_suffix(".lrc").mkdir()
    os.mkfifo(path.with_suffix(".LRC"))
    assert read_file(os.fsencode(path)).tags.lyrics is None


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("popm:a@b", "196/7", ImportedFactInput(source="a@b", rating=80, play_count=7)),
        ("popm:a@b", "0/7", ImportedFactInput(source="a@b", play_count=7)),
        ("popm:", "51/0", ImportedFactInput(source="tags", rating=20, play_count=0)),
        ("popm:no@email", "255/0", ImportedFactInput(source="no@email", rating=100, play_count=0)),
        ("rating:a@b", "0.8", ImportedFactInput(source="a@b", rating=80)),
        ("rating", "4", ImportedFactInput(source="tags", rating=80)),
        ("rating", "8", ImportedFactInput(source="tags", rating=80)),
        ("rating", "80", ImportedFactInput(source="tags", rating=80)),
        ("rating", "0", ImportedFactInput(source="tags", rating=0)),
        ("rating", "loud", None),
        ("rating", "-1", None),
        ("rate", "60", ImportedFactInput(source="tags", rating=60)),
        ("fmps_rating", "0.6", ImportedFactInput(source="fmps", rating=60)),
        ("fmps_playcount", "12.0", ImportedFactInput(source="fmps", play_count=12)),
        ("playcount:a@b", "3", ImportedFactInput(source="a@b", play_count=3)),
        ("pcnt", "9", ImportedFactInput(source="tags", play_count=9)),
        ("wm/shareduserrating", "75", ImportedFactInput(source="windows media", rating=80)),
        ("wm/shareduserrating", "0", None),
    ],
)
def test_ratings_of_every_scale_become_percent(
    name: str, written: str, expected: ImportedFactInput | None
) -> None:
    assert imported_facts({name: [written]}, [name]) == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("raw", "file_name", "kind"),
    [
        ({}, "a.flac", "music"),
        ({"podcast": ["1"]}, "a.mp3", "podcast"),
        ({"podcast": ["0"]}, "a.mp3", "music"),
        ({"itunesmediatype": ["21"]}, "a.m4a", "podcast"),
        ({"itunesmediatype": ["2"]}, "a.m4a", "audiobook"),
        ({"itunesmediatype": ["1"]}, "a.m4a", "music"),
        ({}, "A Book.M4B", "audiobook"),
        ({"podcast": ["1"]}, "a.m4b", "podcast"),
        ({"genre": ["Hörbuch"]}, "a.mp3", "audiobook"),
        ({"genre": ["Rock; Podcast"]}, "a.mp3", "podcast"),
        ({"releasetype": ["other", "audiobook"]}, "a.mp3", "audiobook"),
    ],
)
def test_podcasts_and_audiobooks_are_distinguished(raw: RawTags, file_name: str, kind: str) -> None:
    assert map_tags(raw, AUDIO, file_name=file_name).kind == kind


def test_movements_have_a_number_and_a_total() -> None:
    tags = tags_of(work=["Symphony"], movement=["Allegro"], movementnumber=["2/4"])
    assert (tags.work, tags.movement) == ("Symphony", Movement("Allegro", 2, 4))
    assert tags_of(movementnumber=["2"], movementtotal=["4"]).movement == Movement(None, 2, 4)


def test_other_tags_are_those_without_a_field() -> None:
    raw = {"title": ["T"], "asin": ["B000"], "popm:a": ["1/1"], "zz": ["", " b\n c"]}
    kept = other_tags(raw, {})
    assert kept == {"asin": ["B000"], "zz": ["b\n c"]}
    assert not other_tags({name: ["x"] for name in FIELDS}, {})


def test_the_size_of_other_tags_is_limited() -> None:
    many = other_tags({f"tag{n:04}": ["v" * 100] * 100 for n in range(1_000)}, {})
    assert len(many) <= MOST_NAMES
    assert sum(len(name) + sum(map(len, values)) for name, values in many.items()) <= TOTAL_LIMIT
    assert len(other_tags({f"tag{n:04}": ["v"] for n in range(1_000)}, {})) == MOST_NAMES


@given(st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=30), max_size=3)))
def test_any_other_tags_can_be_stored(raw: RawTags) -> None:
    others = tags_of(**raw).others
    for text in (*others, *(value for values in others.values() for value in values)):
        assert "\0" not in text
        text.encode()
