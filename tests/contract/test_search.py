"""What every search index does, whatever the engine."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from pytest_asyncio import fixture

from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import (
    Deletion,
    SearchDocument,
    SearchFilters,
    SearchHits,
    SearchIndex,
    SearchQuery,
    SearchReader,
    SearchWriter,
)
from shared.search.tantivy_index import TantivyIndex


@dataclass(frozen=True, slots=True)
class Engine:
    """A way to reach one index, which is empty at first. Each call gives an object of its own."""

    writer: Callable[[], SearchWriter]
    reader: Callable[[], SearchReader]


@pytest.fixture(params=["tantivy", "opensearch"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    make: Callable[[], SearchIndex]
    if request.param == "opensearch":
        url, alias = request.getfixturevalue("opensearch").url, f"contract-{uuid.uuid4().hex}"
        make = partial(OpenSearchIndex, url, alias=alias)
    else:
        make = partial(TantivyIndex, tmp_path)
    return Engine(make, make)


@fixture
async def writer(engine: Engine) -> AsyncIterator[SearchWriter]:
    made = engine.writer()
    async with made.writing():
        yield made


@fixture
async def reader(engine: Engine) -> AsyncIterator[SearchReader]:
    made = engine.reader()
    async with made.reading():
        yield made


def track_id(number: int) -> str:
    return f"trk_{number:032x}"


def document(number: int, title: str = "Untitled", **told: object) -> SearchDocument:
    plain = SearchDocument(track_id(number), 1, title, artists=["Nobody"])
    return replace(plain, **told)  # type: ignore[arg-type] # fields by name


LIBRARY = [
    document(
        1, "Jóga", artists=["Björk"], album="Homogenic", genres=["Electronic", "Art Pop"],
        year=1997, key="A minor", tempo_bpm=87.0, path="Björk/Homogenic/02 Jóga.flac",
    ),
    document(
        2, "Enter Sandman", artists=["Metallica"], album="Metallica", genres=["Metal"],
        year=1991, key="E minor", tempo_bpm=123.0, path="Metallica/Metallica/01.mp3",
    ),
    document(
        3, "So What", artists=["Miles Davis", "John Coltrane"], album="Kind of Blue",
        genres=["Jazz"], year=1959, key="D minor", tempo_bpm=136.0, path="jazz/kind/so_what.ogg",
    ),
    document(
        4, "Blue in Green", artists=["Miles Davis", "Bill Evans"], album="Kind of Blue",
        genres=["Jazz"], year=1959, key="A# major", tempo_bpm=57.0, path="jazz/kind/03.ogg",
    ),
    document(
        5, "Don't Stop Me Now", artists=["Queen"], album="Jazz", genres=["Rock"], year=1978,
        key="A major", tempo_bpm=156.0, path="Queen/Jazz/12.mp3",
    ),
    document(6, "群青日和", artists=["東京事変"], album="教育", path="東京事変/教育/02.m4a"),
    document(7, "Для Элизы", artists=["Людвиг ван Бетховен"], path="Classics/fuer_elise.wav"),
]  # fmt: skip


@fixture
async def library(writer: SearchWriter) -> SearchWriter:
    await writer.write(LIBRARY)
    return writer


def numbers(found: SearchHits) -> list[int]:
    return [int(hit.track_id[4:], 16) for hit in found.hits]


async def found(reader: SearchReader, text: str, **filters: object) -> list[int]:
    told = SearchFilters(**filters)  # type: ignore[arg-type] # fields by name
    return numbers(await reader.search(SearchQuery(text, filters=told)))


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
async def test_filters_keep_only_what_fits_all_of_them(
    library: SearchWriter, reader: SearchReader, filters: dict[str, object], expected: set[int]
) -> None:
    assert set(await found(reader, "davis")) == {3, 4}
    assert set(await found(reader, "davis", **filters)) == expected


async def test_facets_count_all_that_was_found_not_only_the_first(
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


async def test_scores_fall_and_the_number_of_hits_is_what_was_asked(
    library: SearchWriter, reader: SearchReader
) -> None:
    answer = await reader.search(SearchQuery("jazz", first=2))
    scores = [hit.score for hit in answer.hits]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert not (await reader.search(SearchQuery("jazz", first=0))).hits


HOSTILE = [
    "", "   ", "!!!", '"', "'", "((((", "]]", "title:", "title:joga AND NOT (", "a\x00b", "*", "~",
    "\\", "+-&|", "joga^1e999", "[a TO z]", "{!x}", "\ud800", "joga\udcff", "x" * 10_000,
    "word " * 2_000, "abcdefghijkl" * 9, "ab" * 59 + " " + "y" * 119, "(" * 10_000, "🎵", "\u202e",
    "\u0301\u0301", "NaN", "null", "-1", "%00", "<script>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_text_is_an_error(library: SearchWriter, reader: SearchReader, text: str) -> None:
    answer = await reader.search(SearchQuery(text, filters=SearchFilters()))
    assert answer.total >= len(answer.hits)
    filters = SearchFilters(artist=text, album=text, genre=text, key=text)
    await reader.search(SearchQuery("joga", filters=filters))


async def test_no_document_is_an_error(writer: SearchWriter, reader: SearchReader) -> None:
    for number, text in enumerate([*HOSTILE, "long " * 200_000, "x" * 1_000_000]):
        await writer.write(
            [document(number, text, artists=[text, text], album=text, genres=[text], path=text)]
        )
    await writer.write([document(999, "Plain", year=-5, tempo_bpm=0.0)])
    assert await writer.count() == len(HOSTILE) + 3
    assert await found(reader, "plain") == [999]


async def test_a_late_version_changes_nothing(writer: SearchWriter, reader: SearchReader) -> None:
    await writer.write([document(1, "New", version=2)])
    await writer.write([document(1, "Old", version=1)])
    await writer.write([], [Deletion(track_id(1), 1)])
    assert (await found(reader, "new"), await found(reader, "old")) == ([1], [])


async def test_within_one_batch_the_newest_version_wins(
    writer: SearchWriter, reader: SearchReader
) -> None:
    batch = [document(1, "New", version=3), document(1, "Old", version=2)]
    await writer.write(batch, [Deletion(track_id(1), 1)])
    assert (await found(reader, "new"), await found(reader, "old")) == ([1], [])


async def test_a_newer_version_replaces_and_the_same_one_is_kept_once(
    writer: SearchWriter, reader: SearchReader
) -> None:
    for version in (1, 1, 2, 2):
        await writer.write([document(1, f"Take {version}", version=version)])
    assert await writer.count() == 1
    assert (await reader.search(SearchQuery("take 2"))).total == 1


async def test_a_deleted_track_is_found_no_more_until_a_newer_version_comes(
    library: SearchWriter, reader: SearchReader
) -> None:
    await library.write([], [Deletion(track_id(1), 5)])
    await library.write([replace(LIBRARY[0], version=4)])
    assert await found(reader, "joga") == []
    assert await library.count() == len(LIBRARY) - 1
    await library.write([replace(LIBRARY[0], version=6)])
    assert await found(reader, "joga") == [1]


async def test_an_open_reader_sees_every_write_at_once(
    writer: SearchWriter, reader: SearchReader
) -> None:
    for number in range(5):
        await writer.write([document(number, "Same")])
        assert (await reader.search(SearchQuery("same"))).total == number + 1


async def test_what_was_written_and_its_generation_are_there_the_next_time(
    engine: Engine, reader: SearchReader
) -> None:
    first, second = engine.writer(), engine.writer()
    async with first.writing():
        await first.write(LIBRARY)
        generation = first.generation
    async with second.writing():
        assert second.generation == generation != ""
        assert await second.count() == len(LIBRARY)
        await second.write([document(50, "Later")])
    assert await found(reader, "later") == [50]


async def test_starting_anew_empties_the_index_and_names_another_generation(
    library: SearchWriter, reader: SearchReader
) -> None:
    before = library.generation
    assert await found(reader, "joga") == [1]
    await library.start_anew()
    assert library.generation != before
    assert (await library.count(), await found(reader, "joga")) == (0, [])
    await library.write(LIBRARY[:1])
    assert await found(reader, "joga") == [1]


async def test_before_anything_was_written_nothing_is_found(engine: Engine) -> None:
    made = engine.reader()
    async with made.reading():
        answer = await made.search(SearchQuery("joga"))
        assert (list(answer.hits), answer.total, answer.facets) == ([], 0, {})
