"""Each search index keeps the newest version of each track, visible at once, until it is reset."""

from dataclasses import replace

from shared.search.port import Deletion, SearchQuery, SearchReader, SearchWriter
from tests.contract.conftest import Engine
from tests.contract.search_library import LIBRARY, document, found, track_id


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


async def test_a_newer_version_replaces_the_old_one_and_an_equal_one_is_stored_once(
    writer: SearchWriter, reader: SearchReader
) -> None:
    for version in (1, 1, 2, 2):
        await writer.write([document(1, f"Take {version}", version=version)])
    assert await writer.count() == 1
    assert (await reader.search(SearchQuery("take 2"))).total == 1


async def test_a_deleted_track_is_not_found_until_a_newer_version_is_written(
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


async def test_documents_and_generation_persist(engine: Engine, reader: SearchReader) -> None:
    first, second = engine.writer(), engine.writer()
    async with first.writing():
        await first.write(LIBRARY)
        generation = first.generation
    async with second.writing():
        assert second.generation == generation != ""
        assert await second.count() == len(LIBRARY)
        await second.write([document(50, "Later")])
    assert await found(reader, "later") == [50]


async def test_a_reset_empties_the_index_and_starts_another_generation(
    library: SearchWriter, reader: SearchReader
) -> None:
    before = library.generation
    assert await found(reader, "joga") == [1]
    await library.start_anew()
    assert library.generation != before
    assert (await library.count(), await found(reader, "joga")) == (0, [])
    await library.write(LIBRARY[:1])
    assert await found(reader, "joga") == [1]


async def test_an_unwritten_index_finds_nothing(engine: Engine) -> None:
    made = engine.reader()
    async with made.reading():
        answer = await made.search(SearchQuery("joga"))
        assert (list(answer.hits), answer.total, answer.facets) == ([], 0, {})
