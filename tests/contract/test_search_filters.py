"""Filters and facets with each search index."""

import pytest

from shared.search.port import SearchQuery, SearchReader, SearchWriter
from tests.contract.search_library import found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"artist": "miles davis"}, {3, 4}),
        ({"artist": "Miles"}, set()),
        ({"album": "KIND OF BLUE"}, {3, 4}),
        ({"genre": "jázz"}, {3, 4}),
        ({"key": "D minor"}, {3}),
        ({"key": "A# major"}, {4}),
        ({"key": "A major"}, set()),
        ({"year_min": 1959, "year_max": 1959}, {3, 4}),
        ({"year_min": 1960}, set()),
        ({"tempo_min_bpm": 57.0, "tempo_max_bpm": 135.9}, {4}),
        ({"artist": "Bill Evans", "genre": "Jazz", "year_max": 2000}, {4}),
    ],
)
async def test_filters_keep_only_what_matches_all_of_them(
    library: SearchWriter, reader: SearchReader, filters: dict[str, object], expected: set[int]
) -> None:
    assert set(await found(reader, "davis")) == {3, 4}
    assert set(await found(reader, "davis", **filters)) == expected


async def test_facets_count_all_hits_and_not_only_the_returned_ones(
    library: SearchWriter, reader: SearchReader
) -> None:
    answer = await reader.search(SearchQuery("miles", first=1))
    assert (len(answer.hits), answer.total) == (1, 2)
    assert answer.facets == {
        "artist": {"Miles Davis": 2, "Bill Evans": 1, "John Coltrane": 1},
        "album": {"Kind of Blue": 2},
        "genre": {"Jazz": 2},
        "year": {"1959": 2},
        "key": {"A# major": 1, "D minor": 1},
        "tempo_bpm": {"40": 1, "120": 1},
    }
    assert next(iter(answer.facets["artist"])) == "Miles Davis"
