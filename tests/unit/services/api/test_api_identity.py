"""The keys by which names and albums are the same."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.identity import (
    bounded,
    fold,
    genre_key,
    owner_key,
    place_key,
    sort_key,
    title_key,
    year_of,
)

LIBRARY = UUID(int=1)
RELEASE = UUID(int=2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Björk", "BJORK"),
        ("Bjo\u0308rk", "Bj\u00f6rk"),
        ("\uff22\uff4aörk", "bjork"),
        ("  Sigur \t Rós ", "sigur ros"),
        ("Straße", "STRASSE"),
        ("Mø", "mo"),
        ("Œuvre", "oeuvre"),
        ("Ωmega", "ωmega"),
        ("ﬁn", "fin"),
        ("Ёлка", "елка"),
        ("Guns N\u2019 Horses", "Guns N' Horses"),
        ("\u201cHeroes\u201d", '"Heroes"'),
        ("A\u2010ha \u2013 Live", "a-ha - live"),
        ("Rock `n\u00b4 Roll", "rock 'n' roll"),
    ],
)
def test_spellings_of_one_name_fold_to_the_same_key(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("AC/DC", "ACDC"), ("P!nk", "Pnk"), ("がく", "かく"), ("+", "-"), ("...", "…a")],
)
def test_different_names_fold_to_different_keys(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    "text", ["", "\u00b4", "\u0301", "\u02bc", "a" * 5_000, "日" * 5_000, "\u0130I \u0131i"]
)
def test_folding_is_stable_and_short_enough_for_an_index(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert len(fold(text).encode()) <= 600
    assert bool(fold(text)) == bool(text)


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_plain_letters_fold_as_accented_ones_do(text: str) -> None:
    assert fold(text + "e") == fold(text + "é")


def test_long_names_with_the_same_beginning_stay_different() -> None:
    assert bounded("x" * 2_000 + "a") != bounded("x" * 2_000 + "b")


def test_a_sort_name_decides_the_order_and_articles_stay_without_one() -> None:
    assert sort_key("The Beatles", "Beatles, The") == "beatles, the"
    assert sort_key("The Beatles") == "the beatles"


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1997", 1997),
        ("1997-09-22", 1997),
        ("99999", None),
        ("0000", None),
        ("97", None),
        ("", None),
        (None, None),
        ("²997", None),
    ],
)
def test_a_year_is_four_digits_at_the_start_of_a_date(date: str | None, year: int | None) -> None:
    assert year_of(date) == year


PLACE: dict[str, Any] = {
    "title": "Homogenic", "folder": "Björk/Homogenic", "library_id": LIBRARY,
}  # fmt: skip
OWNER: dict[str, Any] = {
    "artist_credit": "Björk", "folder": "Björk/Homogenic",
}  # fmt: skip


def test_spellings_of_a_title_in_a_folder_have_one_key() -> None:
    assert place_key(**PLACE | {"title": "HOMOGENIC "}) == place_key(**PLACE)


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "Björk/Homogenic (vinyl)"},
        {"title": "Homogenic Live"},
        {"library_id": UUID(int=9)},
        {"musicbrainz_release_id": RELEASE},
    ],
)
def test_editions_have_keys_of_their_own(changes: dict[str, Any]) -> None:
    assert place_key(**PLACE | changes) != place_key(**PLACE)


def test_a_musicbrainz_release_is_one_album_in_any_folder_and_of_any_artist() -> None:
    one, other = (
        {**PLACE, "musicbrainz_release_id": RELEASE, "folder": folder, "title": folder}
        for folder in "ab"
    )
    assert place_key(**one) == place_key(**other)
    assert owner_key(**OWNER, musicbrainz_release_id=RELEASE) == ""


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"artist_credit": "Bjork"}, True),
        ({"artist_credit": "Other"}, False),
        ({"is_artist_tagged": False}, False),
        ({"is_compilation": True}, True),
        ({"is_compilation": True, "is_artist_tagged": False}, False),
        ({"folder": ""}, True),
    ],
)
def test_albums_of_one_title_and_folder_differ_by_album_artist(
    changes: dict[str, Any], is_same: bool
) -> None:
    assert (owner_key(**OWNER | changes) == owner_key(**OWNER)) == is_same


def test_a_compilation_without_album_artists_is_one_album_for_all_artists() -> None:
    one = OWNER | {"is_compilation": True, "is_artist_tagged": False}
    assert owner_key(**one | {"artist_credit": "b"}) == owner_key(**one)
    tagged = OWNER | {"artist_credit": "various artists", "is_compilation": True}
    assert owner_key(**tagged) == owner_key(**one)


def test_without_an_album_artist_the_owner_key_is_empty() -> None:
    assert owner_key(**OWNER | {"is_artist_tagged": False}) == ""


def test_in_the_root_folder_the_track_artist_counts_too() -> None:
    root = OWNER | {"folder": "", "is_artist_tagged": False}
    assert owner_key(**root | {"artist_credit": "b"}) != owner_key(**root)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Hip Hop", "hip-hop", True),
        ("Hip_Hop", "HipHop", True),
        ("Métal", "metal", True),
        ("R&B", "RB", False),
        ("Drum & Bass", "Drum and Bass", False),
        ("Folk", "Folks", False),
        ("-", "_", False),
    ],
)
def test_spaces_hyphens_and_underscores_part_no_genres(one: str, other: str, is_same: bool) -> None:
    assert (genre_key(one) == genre_key(other)) == is_same
    assert genre_key(one)


def test_the_title_key_is_of_a_library() -> None:
    key = title_key(LIBRARY, "Homogenic")
    assert key == title_key(LIBRARY, "homogenic ") != title_key(UUID(int=9), "Homogenic")
