"""A batch checked column by column gives the same rows as `track_row` for each item."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.store.checks import InvalidValue
from services.api.store.results import Problem
from services.api.store.tracks.validate import validate
from services.api.store.tracks.validate_item import TrackRow, track_row

_ID = "0123456789abcdef" * 2
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
_USUAL: dict[str, st.SearchStrategy[Any]] = {
    "path": st.sampled_from(("a.mp3", "a/b c.flac", "é/..b.ogg")),
    "size_bytes": st.integers(0, 2**40),
    "mtime_ns": st.integers(-(2**62), 2**62),
    "title": _TEXTS,
    "artist_credit": _TEXTS,
    "credits": st.lists(
        st.fixed_dictionaries(
            {"artist_id": st.just(f"art_{_ID}"), "credited_as": _TEXTS},
            optional={
                "role": st.sampled_from(("artist", "PERFORMER", None)),
                "join_phrase": _TEXTS,
                "instrument": st.none() | _TEXTS,
            },
        ),
        max_size=3,
    ),
    "genres": st.lists(_TEXTS, max_size=3),
    "container": st.sampled_from(("mp3", "ogg")),
    "codec": st.sampled_from(("mp3", "öpus %s")),
    "duration_s": st.floats(0, 1e6) | st.integers(0, 900),
}
_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "album_id": st.none() | st.just(f"alb_{_ID}"),
    "album_claim": st.none() | _TEXTS,
    "title_is_file_name": st.none() | st.booleans(),
    "sort_title": st.none() | _TEXTS,
    "track_number": st.none() | st.integers(0, 99),
    "channels": st.none() | st.integers(0, 8),
    "release_date": st.sampled_from((None, "1999", "1999-12", "soon")),
    "isrcs": st.none() | st.lists(_TEXTS, max_size=2),
    "moods": st.lists(_TEXTS, max_size=2),
    "tag_bpm": st.sampled_from((None, 120, 120.5, -0.0, 0.0)),
    "comment": st.none() | _TEXTS,
    "has_lyrics": st.none() | st.booleans(),
    "kind": st.sampled_from((None, "music", "podcast")),
    "lyrics_plain": st.none() | _TEXTS,
    "other_tags": st.none() | st.dictionaries(_TEXTS, st.lists(_TEXTS, max_size=2), max_size=2),
    "musicbrainz_track_id": st.sampled_from(
        (None, "89ad4ac3-39f7-470e-963a-56509c546377", "{89AD4AC339F7470E963A56509C546377}")
    ),
    "cover_sha256": st.sampled_from((None, "ab" * 32, "AB" * 32)),
    "images_digest": st.none() | st.integers(0, 2**31 - 1),
    "content_hash": st.sampled_from((None, _ID, _ID.upper())),
    "moved_from": st.none() | st.just(f"trk_{_ID}"),
    "is_checked": st.none() | st.booleans(),
}
_ITEMS = st.lists(st.fixed_dictionaries(_USUAL, optional=_OPTIONAL), max_size=4)


def _one_by_one(items: list[dict[str, Any]]) -> list[TrackRow | Problem]:
    def row(item: dict[str, Any]) -> TrackRow | Problem:
        try:
            return track_row(item)
        except InvalidValue as invalid:
            return invalid.problem

    return [row(item) for item in items]


@settings(deadline=None, max_examples=300)
@given(_ITEMS)
def test_valid_items_give_the_same_rows_as_one_by_one(items: list[dict[str, Any]]) -> None:
    assert validate(items) == _one_by_one(items)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "/a.mp3"), ("path", "a/../b.mp3"), ("path", ""), ("path", "é" * 1_300),
        ("path", None), ("title", "a\0b"), ("title", "\ud800"), ("title", None), ("title", 7),
        ("title", "x" * 20_001), ("size_bytes", -1), ("size_bytes", True), ("mtime_ns", 2**63),
        ("duration_s", float("nan")), ("duration_s", None), ("duration_s", -1),
        ("tag_bpm", float("inf")), ("channels", 40_000), ("track_number", -1),
        ("container", "  "), ("codec", "x" * 2_001), ("kind", "film"), ("isrcs", ["x" * 101]),
        ("album_id", "art_" + _ID), ("moved_from", "trk_7"), ("content_hash", "abc"),
        ("cover_sha256", "zz" * 32), ("musicbrainz_track_id", "none"), ("credits", [{}]),
        ("credits", [{"artist_id": "art_" + _ID, "credited_as": "a", "role": "cook"}]),
        ("genres", ["\0"]), ("genres", ["a"] * 101), ("other_tags", {"a": ["\0"]}),
        ("sort_title", "\0"), ("images_digest", 2**31),
    ],
)  # fmt: skip
def test_an_invalid_item_has_a_problem_and_the_others_are_rows(name: str, value: Any) -> None:
    fit = {
        "path": "a.mp3", "size_bytes": 1, "mtime_ns": 1, "title": "A", "artist_credit": "B",
        "credits": [], "genres": ["Rock"], "container": "mp3", "codec": "mp3", "duration_s": 1.5,
    }  # fmt: skip
    items = [fit, {**fit, name: value}, {**fit, "path": "b.mp3"}]
    made = validate(items)
    assert made == _one_by_one(items)
    assert [isinstance(one, Problem) for one in made] == [False, True, False]


@pytest.mark.parametrize("make", [validate, _one_by_one])
def test_the_digest_of_a_track_stays_as_libraries_store_it(
    make: Callable[[list[dict[str, Any]]], list[TrackRow | Problem]],
) -> None:
    item = {
        "path": "é/1.mp3", "size_bytes": 1, "mtime_ns": 2, "title": 'Ænima "%s"\n☃😀',
        "artist_credit": "Björk", "genres": ["Rock", "Électro"], "container": "mp3",
        "codec": "mp3", "duration_s": 200, "album_id": f"alb_{_ID}", "track_number": 1,
        "release_date": "1999-05-03", "tag_bpm": -0.0, "replaygain_track_gain_db": -7.25,
        "isrcs": ["US1"], "cover_sha256": "ab" * 32, "lyrics_plain": "la",
        "other_tags": {"z": ["1"], "a": ["ü"]}, "title_is_file_name": True,
        "musicbrainz_recording_id": "89ad4ac3-39f7-470e-963a-56509c546377",
        "credits": [
            {
                "artist_id": f"art_{_ID}", "credited_as": "Björk", "role": "PERFORMER",
                "join_phrase": " & ", "instrument": "harp",
            }
        ],
    }  # fmt: skip
    (row,) = make([item])
    assert isinstance(row, TrackRow)
    assert row.digest.hex() == ("e25b028ddeb85fe67fe3a170d765ac348d761ab6ca06c2e78fc1d3e1d5d0ac50")
