"""Unusual texts are no error for any search index, neither in queries nor in documents."""

import pytest

from shared.search.port import SearchFilters, SearchQuery, SearchReader, SearchWriter
from tests.contract.search_library import document, found

HOSTILE = [
    "", "   ", "!!!", '"', "'", "((((", "]]", "title:", "title:joga AND NOT (", "a\x00b", "*", "~",
    "\\", "+-&|", "joga^1e999", "[a TO z]", "{!x}", "\ud800", "joga\udcff", "x" * 10_000,
    "word " * 2_000, "abcdefghijkl" * 9, "ab" * 59 + " " + "y" * 119, "(" * 10_000, "🎵", "\u202e",
    "\u0301\u0301", "NaN", "null", "-1", "%00", "<script>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_query_is_an_error(library: SearchWriter, reader: SearchReader, text: str) -> None:
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
