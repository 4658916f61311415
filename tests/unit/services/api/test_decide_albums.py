"""An album's fields are those of most of its tracks, in any order."""

import itertools
from typing import Any

from services.api.store.albums.claims import CountedClaim, decide


def claim(tracks: int = 1, artist: str = "A", **changes: Any) -> CountedClaim:
    facts = {
        "title": "X", "artist_credit": artist, "artist_key": artist.casefold(),
        "credits": [[f"id of {artist}", artist, ""]] if artist else [], "is_artist_told": True,
        "is_compilation": False, "owner_key": f"artist {artist}",
    }  # fmt: skip
    return CountedClaim(facts | changes, tracks)


def untagged(tracks: int = 1, artist: str = "A", **changes: Any) -> CountedClaim:
    return claim(tracks, artist, is_artist_told=False, owner_key="", **changes)


def test_each_field_has_the_most_frequent_value_of_the_tracks_that_have_one() -> None:
    columns = decide([
        claim(5, release_date="1999"),
        claim(2, release_date="2001-05", label="L"),
        claim(4, release_date="2001-05", label="M"),
    ]).columns  # fmt: skip
    assert (columns["release_date"], columns["year"]) == ("2001-05", 2001)
    assert (columns["label"], columns["country"]) == ("M", None)


def test_the_order_of_claims_does_not_matter() -> None:
    claims = [claim(2, "A"), claim(2, "B", label="L"), untagged(9, "C"), claim(1, "b", label="M")]
    decided = [decide(order) for order in itertools.permutations(claims)]
    assert all(one == decided[0] for one in decided)
    assert decided[0].columns["artist_credit"] == "B"
    assert decided[0].credits == [["id of B", "B", ""]]


def test_a_tagged_album_artist_takes_precedence_over_the_tracks_artists() -> None:
    decided = decide([claim(1, "A"), untagged(5, "B"), untagged(5, "C")])
    assert decided.columns["artist_credit"] == "A"
    assert decided.columns["owner_key"] == "artist A"
    assert not decided.columns["is_compilation"]


def test_without_a_tagged_album_artist_it_is_the_artist_of_most_tracks() -> None:
    decided = decide([untagged(3, "A"), untagged(2, "B")])
    assert (decided.columns["artist_credit"], decided.columns["owner_key"]) == ("A", "")
    assert decided.credits == [["id of A", "A", ""]]


def test_without_a_majority_it_is_various_artists() -> None:
    decided = decide([untagged(2, "A"), untagged(2, "B")])
    assert decided.columns["artist_credit"] == "Various Artists"
    assert decided.columns["is_compilation"]
    assert decided.credits is None


def test_tracks_without_an_artist_do_not_count() -> None:
    assert decide([untagged(5, ""), untagged(2, "A")]).columns["artist_credit"] == "A"
    alone = decide([untagged(5, "")])
    assert (alone.columns["artist_credit"], alone.credits) == ("", [])


def test_the_credits_have_the_spelling_of_the_shown_artist() -> None:
    one = claim(3, "Bjork", artist_key="bjork", credits=[["1", "Bjork", ""]])
    other = claim(4, "Björk", artist_key="bjork", credits=[["1", "Björk", ""]])
    decided = decide([one, other])
    assert (decided.columns["artist_credit"], decided.credits) == ("Björk", [["1", "Björk", ""]])


def test_one_flagged_track_makes_a_compilation() -> None:
    assert decide([claim(9), claim(1, is_compilation=True)]).columns["is_compilation"]
