"""An album is what most of its tracks say, in whatever order they say it."""

import itertools
from typing import Any

from services.api.store.albums.claims import CountedClaim, decide


def said(tracks: int = 1, artist: str = "A", **changes: Any) -> CountedClaim:
    facts = {
        "title": "X", "artist_credit": artist, "artist_key": artist.casefold(),
        "credits": [[f"id of {artist}", artist, ""]] if artist else [], "is_artist_told": True,
        "is_compilation": False, "owner_key": f"artist {artist}",
    }  # fmt: skip
    return CountedClaim(facts | changes, tracks)


def guessed(tracks: int = 1, artist: str = "A", **changes: Any) -> CountedClaim:
    return said(tracks, artist, is_artist_told=False, owner_key="", **changes)


def test_each_field_is_what_most_tracks_say_of_those_that_say_anything() -> None:
    columns = decide([
        said(5, release_date="1999"),
        said(2, release_date="2001-05", label="L"),
        said(4, release_date="2001-05", label="M"),
    ]).columns  # fmt: skip
    assert (columns["release_date"], columns["year"]) == ("2001-05", 2001)
    assert (columns["label"], columns["country"]) == ("M", None)


def test_the_order_makes_no_difference() -> None:
    claims = [said(2, "A"), said(2, "B", label="L"), guessed(9, "C"), said(1, "b", label="M")]
    decided = [decide(order) for order in itertools.permutations(claims)]
    assert all(one == decided[0] for one in decided)
    assert decided[0].columns["artist_credit"] == "B"
    assert decided[0].credits == [["id of B", "B", ""]]


def test_a_tagged_album_artist_counts_before_those_of_the_tracks() -> None:
    decided = decide([said(1, "A"), guessed(5, "B"), guessed(5, "C")])
    assert decided.columns["artist_credit"] == "A"
    assert decided.columns["owner_key"] == "artist A"
    assert not decided.columns["is_compilation"]


def test_without_a_tagged_one_it_is_the_artist_of_more_than_half_of_the_tracks() -> None:
    decided = decide([guessed(3, "A"), guessed(2, "B")])
    assert (decided.columns["artist_credit"], decided.columns["owner_key"]) == ("A", "")
    assert decided.credits == [["id of A", "A", ""]]


def test_or_there_are_various_artists() -> None:
    decided = decide([guessed(2, "A"), guessed(2, "B")])
    assert decided.columns["artist_credit"] == "Various Artists"
    assert decided.columns["is_compilation"]
    assert decided.credits is None


def test_tracks_without_any_artist_make_no_various_artists() -> None:
    assert decide([guessed(5, ""), guessed(2, "A")]).columns["artist_credit"] == "A"
    alone = decide([guessed(5, "")])
    assert (alone.columns["artist_credit"], alone.credits) == ("", [])


def test_the_credits_are_of_the_spelling_that_is_shown() -> None:
    one = said(3, "Bjork", artist_key="bjork", credits=[["1", "Bjork", ""]])
    other = said(4, "Björk", artist_key="bjork", credits=[["1", "Björk", ""]])
    decided = decide([one, other])
    assert (decided.columns["artist_credit"], decided.credits) == ("Björk", [["1", "Björk", ""]])


def test_one_track_that_says_so_makes_a_compilation() -> None:
    assert decide([said(9), said(1, is_compilation=True)]).columns["is_compilation"]
