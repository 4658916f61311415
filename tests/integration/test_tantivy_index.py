"""The embedded search index: kill -9, damaged files, two writers, and an unusable folder."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.contracts.errors import DependencyDown, TransientError
from shared.search.port import SearchDocument, SearchQuery
from shared.search.tantivy_index import TantivyIndex

ROOT = Path(__file__).parents[2]
BATCH = 50

# Writes batches without end, and prints the number of documents after each.
WRITER = """
import asyncio, sys
from pathlib import Path
from shared.search.port import SearchDocument
from shared.search.tantivy_index import TantivyIndex

async def main():
    index = TantivyIndex(Path(sys.argv[1]))
    start = int(sys.argv[2])
    async with index.writing():
        for batch in range(10_000):
            ids = range(start + batch * 50, start + batch * 50 + 50)
            await index.write([SearchDocument(f"trk_{n:032x}", 1, "Song", ["A"]) for n in ids])
            print(ids.stop, flush=True)

asyncio.run(main())
"""


def tracks(numbers: range, title: str = "Song") -> list[SearchDocument]:
    return [SearchDocument(f"trk_{n:032x}", 1, title, ["Someone"]) for n in numbers]


async def test_after_kill_9_the_index_has_all_acknowledged_documents(tmp_path: Path) -> None:
    done, generation = 0, ""
    for batches in (3, 1, 6, 2):
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on this loop
            [sys.executable, "-c", WRITER, str(tmp_path), str(done)],
            stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            for _ in range(batches):
                done = int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            rest = process.stdout.read().split()
            process.stdout.close()
        done = int(rest[-1]) if rest else done
        index = TantivyIndex(tmp_path)
        async with index.writing():
            count = await index.count()
            # A batch may have been committed without its line being printed.
            assert done <= count <= done + BATCH
            done = count
            assert index.generation == (generation or index.generation)
            generation = index.generation


async def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    async with TantivyIndex(tmp_path).writing():
        with pytest.raises(DependencyDown, match="another process writes"):
            async with TantivyIndex(tmp_path).writing():
                pass


def _parts(folder: Path) -> list[Path]:
    (generation,) = (part for part in folder.iterdir() if part.is_dir())
    return sorted(part for part in generation.iterdir() if part.suffix != ".lock")


@pytest.mark.parametrize(
    "part", ["meta.json", ".managed.json", ".idx", ".term", ".store", ".fast", ".pos", ".fieldnorm"]
)
@pytest.mark.parametrize("how", ["emptied", "cut", "garbage", "flipped"])
async def test_a_damaged_index_works_again_after_a_start_and_a_write(
    tmp_path: Path, part: str, how: str
) -> None:
    index = TantivyIndex(tmp_path)
    async with index.writing():
        await index.write(tracks(range(200)))
    generation = index.generation
    (file,) = (each for each in _parts(tmp_path) if each.name.endswith(part))
    content = file.read_bytes()
    middle = bytes(byte ^ 0xFF for byte in content[:-60])
    file.write_bytes(
        {
            "emptied": b"",
            "cut": content[: len(content) // 2],
            "garbage": b"\xa5" * len(content),
            "flipped": middle + content[-60:],
        }[how]
    )

    reader, index = TantivyIndex(tmp_path), TantivyIndex(tmp_path)
    async with index.writing(), reader.reading():
        for _ in range(2):  # the next write repairs what was found damaged
            try:
                await reader.search(SearchQuery("song"))
            except TransientError:
                assert how == "flipped"  # other damage is noticed when it is opened
            await index.write(tracks(range(200)))
        found = await reader.search(SearchQuery("song"))
        if index.generation == generation:  # the damaged content does not matter here
            assert how == "flipped"
        assert found.total == await index.count() == 200


async def test_an_index_of_other_fields_is_replaced_by_an_empty_one(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path)
    async with index.writing():
        await index.write(tracks(range(10)))
    (tmp_path / index.generation).rename(tmp_path / "v0-old")
    (tmp_path / "current").write_text("v0-old")
    again = TantivyIndex(tmp_path)
    async with again.writing():
        assert await again.count() == 0
        assert again.generation != index.generation
    assert not (tmp_path / "v0-old").exists()


async def test_readers_search_while_a_writer_writes(tmp_path: Path) -> None:
    index, reader = TantivyIndex(tmp_path), TantivyIndex(tmp_path)
    async with index.writing(), reader.reading():

        async def write() -> None:
            for start in range(0, 1_000, BATCH):
                await index.write(tracks(range(start, start + BATCH)))

        async def search() -> list[int]:
            return [(await reader.search(SearchQuery("song"))).total for _ in range(30)]

        seen = await asyncio.gather(write(), *(search() for _ in range(4)))
    for totals in seen[1:]:
        assert totals is not None
        assert totals == sorted(totals)


async def test_an_unwritable_folder_counts_as_a_dependency_that_is_down(tmp_path: Path) -> None:
    blocked = tmp_path / "search"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(DependencyDown, match="cannot be written"):
        async with TantivyIndex(blocked).writing():
            pass
