"""Claims of one title are grouped into albums by evidence, whatever their order."""

import itertools
import random
from collections.abc import Iterable
from typing import Any

import pytest

from services.api.store.albums.grouping import VARIOUS, Album, Evidence, group


def claim(name: str, folder: str, *numbers: int, disc: int | None = None, **more: Any) -> Evidence:
    facts: dict[str, Any] = {
        "artist": "a", "is_artist_told": True, "is_compilation": False, "year": None,
        "original_year": None, "release_id": None, "release_group_id": None, "tracks": len(numbers),
        "positions": frozenset((disc or 1, number) for number in numbers),
        "discs": frozenset([disc]),
    }  # fmt: skip
    return Evidence(claim=name, folder=folder, **(facts | more))


def names(albums: Iterable[Album]) -> list[str]:
    return sorted("".join(sorted(each.claim for each in album.claims)) for album in albums)


CASES = {
    "discs below one parent": ([
        claim("a", "X/Foo", 1, 2, disc=1), claim("b", "X/Bar", 1, 2, disc=2),
        claim("c", "X", 1, disc=3),
    ], ["abc"]),
    "a grandchild is another place": ([claim("a", "X", 1), claim("b", "X/y/z", 2)], ["a", "b"]),
    "a chain of folders": ([
        claim("a", "X", 1), claim("b", "X/y", 2), claim("c", "X/y/z", 3),
    ], ["abc"]),
    "two copies of two discs": ([
        claim("a", "X/flac 1", 1, 2, disc=1), claim("b", "X/flac 2", 1, 2, disc=2),
        claim("c", "X/mp3 1", 1, 2, disc=1), claim("d", "X/mp3 2", 1, 2, disc=2),
    ], ["ab", "cd"]),
    "another release group": ([
        claim("a", "X/Foo", 1, disc=1, release_group_id="1"),
        claim("b", "X/Bar", 1, disc=2, release_group_id="2"),
    ], ["a", "b"]),
    "one release in folders far apart": ([
        claim("a", "p/q", 1, release_id="1"), claim("b", "r/s", 1, release_id="1"),
    ], ["ab"]),
    "unknown artists are no evidence": ([
        claim("a", "X/Foo", 1, disc=1, artist=""), claim("b", "X/Bar", 1, disc=2, artist=""),
    ], ["a", "b"]),
    "years of which one disc has none": ([
        claim("a", "X/Foo", 1, disc=1, year=1999), claim("b", "X/Bar", 1, disc=2),
    ], ["ab"]),
    "three years in one folder": ([
        claim(name, "X", 1, 2, 3, year=year) for name, year in zip("abc", (1, 2, 3), strict=True)
    ], ["a", "b", "c"]),
    "a year that is contested in few numbers": ([
        claim("a", "X", *range(1, 10), year=1), claim("b", "X", 9, *range(10, 15), year=2),
    ], ["ab"]),
    "two remasters of one year": ([
        claim("a", "X", 1, 2, year=2009, original_year=1968),
        claim("b", "X", 1, 2, year=2009, original_year=1971),
    ], ["a", "b"]),
    "original years that only some tracks have": ([
        claim("a", "X", 1, year=1999, original_year=1968), claim("b", "X", 2, year=1999),
        claim("c", "X", 1, 2, year=2005),
    ], ["ab", "c"]),
    "folders of other original years": ([
        claim("a", "X/a", 1, original_year=1968), claim("b", "X/b", 2, original_year=1971),
    ], ["a", "b"]),
    "an unknown year joins the album that it fits": ([
        claim("a", "X", 1, 2, year=1), claim("b", "X", 1, year=2), claim("c", "X", 2),
    ], ["a", "bc"]),
    "untold tracks between two owners": ([
        claim("a", "X", 1), claim("b", "X", 2, artist="b"),
        claim("c", "X", 3, artist="c", is_artist_told=False),
    ], ["a", "b", "c"]),
    "untold tracks of many artists, on discs": ([
        claim("a", "X/1", 1, disc=1, artist="a", is_artist_told=False),
        claim("b", "X/1", 2, disc=1, artist="b", is_artist_told=False),
        claim("c", "X/2", 1, disc=2, artist=VARIOUS),
    ], ["abc"]),
    "in the root each artist has an album": ([
        claim("a", "", 1, is_artist_told=False),
        claim("b", "", 2, is_artist_told=False, artist="b"),
    ], ["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_claims_are_grouped_the_same_in_every_order(name: str) -> None:
    claims, expected = CASES[name]
    orders = list(itertools.permutations(claims))[:120]
    grouped = [group(order) for order in orders]
    assert names(grouped[0]) == expected
    assert all(albums == grouped[0] for albums in grouped)


def test_every_claim_is_of_exactly_one_album() -> None:
    rng = random.Random(7)
    for _ in range(300):
        claims = [
            claim(
                str(number), rng.choice(["", "X", "X/a", "X/b", "Y/a"]),
                *rng.sample(range(1, 9), 3), disc=rng.choice([None, 1, 2]),
                artist=rng.choice(["", "a", "b"]), is_artist_told=rng.random() < 0.5,
                is_compilation=rng.random() < 0.2, year=rng.choice([None, 1, 2]),
                original_year=rng.choice([None, None, 3, 4]),
                release_id=rng.choice([None, None, "1", "2"]),
            )
            for number in range(rng.randint(1, 12))
        ]  # fmt: skip
        albums = group(claims)
        grouped = [each.claim for album in albums for each in album.claims]
        assert sorted(grouped) == sorted(each.claim for each in claims)
        shuffled = rng.sample(claims, len(claims))
        assert group(shuffled) == albums
        assert all(len(album.releases) <= 1 for album in albums)
