"""OpenSearch finds what Tantivy finds, also with many typos."""

import os
import random
from dataclasses import replace
from pathlib import Path

from services.extractor.paths import is_audio
from services.extractor.read.file_reader import read_file
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import SearchDocument, SearchQuery
from shared.search.tantivy_index import TantivyIndex
from tests.integration.opensearch_fixtures import alias, index, total, track_id, tracks

__all__ = ["alias", "index"]


async def test_a_long_text_with_many_typos_is_no_error(index: OpenSearchIndex) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    near = [f"someword{one}{other}" for one in letters for other in letters]
    async with index.writing():
        await index.write(
            [replace(tracks(range(n, n + 1))[0], title=word, album=word, path=word)
             for n, word in enumerate(near)]
        )  # fmt: skip
        assert await total(index, " ".join(near[:24])) > 0


QUERIES = (
    "battle", "battle music", "wesnoth", "the battle for wesnoth", "westlund", "mattias westlnd",
    "aleksi", "aubry carlson", "kaufman", "doug kaufmann north", "north", "northern mountans",
    "victory", "defeat", "frantic reily", "elv", "elvish them", "journeys end", "the king",
    "romantic classical", "joseph toscano", "ryan reilly suspense", "king dead battle", "water",
    "slow harbour", "ines vale waltz", "cafe del puerto", "lanter", "tidal clok", "larkspur",
    "the sea", "\u6d77", "symphony deep", "underground ogg", "a", "t", "02", "nothing like this",
)  # fmt: skip


def documents(*roots: Path) -> list[SearchDocument]:
    """The search documents of files."""
    files = [(root, path) for root in roots for path in sorted(root.rglob("*"))]
    made = []
    for number, (root, path) in enumerate(each for each in files if is_audio(each[1].name)):
        tags = read_file(os.fsencode(path)).tags
        made.append(
            SearchDocument(
                track_id(number), 1, tags.title, [name.name for name in tags.artists],
                album=tags.release.title, album_artist=tags.release.artist_credit,
                genres=tags.genres, path=str(path.relative_to(root)),
            )
        )  # fmt: skip
    return made


async def test_it_finds_what_tantivy_finds_in_any_order_of_writes(
    index: OpenSearchIndex, tmp_path: Path, wesnoth_music: Path, demo_music: Path
) -> None:
    library = documents(wesnoth_music, demo_music)
    shuffled = random.Random(1).sample(library, len(library))
    tantivy = TantivyIndex(tmp_path)
    async with tantivy.writing(), index.writing():
        await tantivy.write(library)
        for start in range(0, len(library), 7):
            await index.write(shuffled[start : start + 7])
        await index.write([replace(each, version=2) for each in library[::3]])
        for text in QUERIES:
            ours, theirs = [await each.search(SearchQuery(text)) for each in (index, tantivy)]
            paths = [[hit.track_id for hit in found.hits] for found in (ours, theirs)]
            assert paths[0] == paths[1], text
            assert (ours.total, ours.facets) == (theirs.total, theirs.facets), text
