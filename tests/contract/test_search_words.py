"""Searches by words with each search index: hits and their order."""

import pytest

from shared.search.port import SearchQuery, SearchReader, SearchWriter
from tests.contract.search_library import document, found


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("joga", 1),
        ("JÓGA", 1),
        ("Jo\u0301ga", 1),
        ("\uff4a\uff4f\uff47\uff41", 1),
        ("bjork homogenic", 1),
        ("homogenic björk", 1),
        ("homog", 1),
        ("bjork hom", 1),
        ("metalica", 2),
        ("metallcia sandmann", 2),
        ("coltrane", 3),
        ("davis green", 4),
        ("dont stop", 5),
        ("don\u2019t stop", 5),
        ("fuer_elise", 7),
        ("элизы", 7),
        ("бетховен эли", 7),
        ("東京", 6),
        ("日和", 6),
        ("coltrane.ogg", 3),
    ],
)
async def test_a_track_is_found_by_words_in_any_case_without_accents_by_prefix_and_with_typos(
    library: SearchWriter, reader: SearchReader, text: str, first: int
) -> None:
    assert (await found(reader, text))[:1] == [first]


async def test_all_words_must_match_unless_no_track_has_them_all(
    library: SearchWriter, reader: SearchReader
) -> None:
    assert set(await found(reader, "miles evans")) == {4}
    assert set(await found(reader, "miles homogenic")) == {1, 3, 4}


async def test_fields_rank_title_artist_album_genre_chapter_path(
    writer: SearchWriter, reader: SearchReader
) -> None:
    others = [document(100 + n, f"Other {n}", path=f"{n}") for n in range(20)]
    await writer.write(
        [
            document(6, path="ocean/song.mp3"),
            document(5, chapters=["One", "The Ocean"]),
            document(4, genres=["Ocean"]),
            document(3, album="Ocean"),
            document(2, artists=["Ocean"]),
            document(1, "Ocean"),
            *others,
        ]
    )
    assert await found(reader, "ocean") == [1, 2, 3, 4, 5, 6]


async def test_an_exact_word_ranks_before_a_prefix_and_a_typo(
    writer: SearchWriter, reader: SearchReader
) -> None:
    await writer.write([document(3, "Stair"), document(2, "Starship"), document(1, "Star")])
    assert await found(reader, "star") == [1, 2, 3]


async def test_a_title_that_equals_the_query_ranks_before_one_that_contains_it(
    writer: SearchWriter, reader: SearchReader
) -> None:
    await writer.write([document(2, "A Song for the Blue Hours"), document(1, "Blue")])
    assert await found(reader, "blue") == [1, 2]


async def test_scores_descend_and_the_number_of_hits_is_limited(
    library: SearchWriter, reader: SearchReader
) -> None:
    answer = await reader.search(SearchQuery("jazz", first=2))
    scores = [hit.score for hit in answer.hits]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert not (await reader.search(SearchQuery("jazz", first=0))).hits
