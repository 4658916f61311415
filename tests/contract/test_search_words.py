"""What words find, and in which order, whatever the search index."""

import pytest

from shared.search.port import SearchQuery, SearchReader, SearchWriter
from tests.contract.search_ground import document, found


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
async def test_a_track_is_found_by_any_words_whatever_their_case_accents_end_or_typo(
    library: SearchWriter, reader: SearchReader, text: str, first: int
) -> None:
    assert (await found(reader, text))[:1] == [first]


async def test_every_word_must_be_found_unless_no_track_has_them_all(
    library: SearchWriter, reader: SearchReader
) -> None:
    assert set(await found(reader, "miles evans")) == {4}
    assert set(await found(reader, "miles homogenic")) == {1, 3, 4}


async def test_fields_weigh_title_before_artist_before_album_before_genre_before_path(
    writer: SearchWriter, reader: SearchReader
) -> None:
    others = [document(100 + n, f"Other {n}", path=f"{n}") for n in range(20)]
    await writer.write(
        [
            document(5, path="ocean/song.mp3"),
            document(4, genres=["Ocean"]),
            document(3, album="Ocean"),
            document(2, artists=["Ocean"]),
            document(1, "Ocean"),
            *others,
        ]
    )
    assert await found(reader, "ocean") == [1, 2, 3, 4, 5]


async def test_the_word_itself_comes_before_its_beginning_before_a_typo(
    writer: SearchWriter, reader: SearchReader
) -> None:
    await writer.write([document(3, "Stair"), document(2, "Starship"), document(1, "Star")])
    assert await found(reader, "star") == [1, 2, 3]


async def test_a_title_that_is_the_words_comes_before_one_that_has_them(
    writer: SearchWriter, reader: SearchReader
) -> None:
    await writer.write([document(2, "A Song for the Blue Hours"), document(1, "Blue")])
    assert await found(reader, "blue") == [1, 2]


async def test_scores_fall_and_the_number_of_hits_is_what_was_asked(
    library: SearchWriter, reader: SearchReader
) -> None:
    answer = await reader.search(SearchQuery("jazz", first=2))
    scores = [hit.score for hit in answer.hits]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert not (await reader.search(SearchQuery("jazz", first=0))).hits
