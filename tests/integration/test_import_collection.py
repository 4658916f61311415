"""`import-collection` with a real gateway: paths, repeated imports, what is not found."""

import asyncio
import json
import os
import sys
import unicodedata
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pytest_asyncio import fixture

from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings
from tests import dj_software as dj
from tests.integration.api_write_items import part_item
from tests.integration.conftest import StoreTracks, track_item
from tests.integration.gateways import running_gateway

_FACTS = """{ tracks(first: 50) { edges { node { path importedFacts {
  source isCollection rating energy key tempoBpm cues { kind startS index } beatGrid { startS }
} } } } }"""
_GRID = '<TEMPO Inizio="0.5" Bpm="120.00" Metro="4/4" Battito="1"/>'
_CUE = '<POSITION_MARK Name="" Type="0" Start="1.5" Num="2"/>'
_COMMAND = Path(sys.executable).with_name("soniquebay")


@fixture
async def gateway(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    async with running_gateway(database_settings) as client:
        yield client


class Result(NamedTuple):
    """How the command ended, and what it said on both streams."""

    exit_code: int
    stdout: str
    output: str


Run: TypeAlias = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(gateway: httpx.AsyncClient, tmp_path: Path) -> Run:
    """Import a collection with options, in a process of its own."""

    async def run_(content: bytes, *options: str) -> Result:
        file = tmp_path / "collection"
        file.write_bytes(content)
        process = await asyncio.create_subprocess_exec(
            _COMMAND, "import-collection", file, *options, stdout=PIPE, stderr=PIPE,
            env={**os.environ, "SONIQUEBAY_GATEWAY_URL": str(gateway.base_url)},
        )  # fmt: skip
        stdout, stderr = (each.decode() for each in await process.communicate())
        assert process.returncode is not None
        return Result(process.returncode, stdout, stdout + stderr)

    return run_


async def facts(gateway: httpx.AsyncClient) -> dict[str, Any]:
    answer = (await gateway.post("/graphql", json={"query": _FACTS})).json()
    edges = answer["data"]["tracks"]["edges"]
    return {edge["node"]["path"]: edge["node"]["importedFacts"] for edge in edges}


async def root_of(pool: asyncpg.Pool) -> str:
    return str(await pool.fetchval("SELECT root FROM libraries"))


async def test_rekordboxs_collection_is_imported(
    run: Run, pool: asyncpg.Pool, gateway: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    await store_tracks("a/1.mp3", "a/2.mp3", "a/3.mp3")
    root = await root_of(pool)
    located = [f"file://localhost{root}/a/{name}.mp3" for name in (1, 2, 9)]
    collection = dj.rekordbox_xml(
        dj.rekordbox_track(located[0], _GRID + _CUE, AverageBpm="120.00", Tonality="Am"),
        dj.rekordbox_track(located[1], Rating="255"), dj.rekordbox_track(located[2]),
        dj.rekordbox_track("file://localhost/elsewhere/a.mp3"),
    )  # fmt: skip
    result = await run(collection)
    assert result.exit_code == 0, result.output
    assert "rekordbox: 2 of 4 tracks imported" in result.output
    assert "1 are in no library, for example a/9.mp3" in result.output
    assert "the collection has them in /elsewhere" in result.output
    nothing: dict[str, Any] = {
        "source": "rekordbox", "isCollection": True, "rating": None, "energy": None, "key": None,
        "tempoBpm": None, "cues": [], "beatGrid": [],
    }  # fmt: skip
    assert await facts(gateway) == {
        "a/1.mp3": [
            nothing
            | {
                "key": "Am", "tempoBpm": 120, "beatGrid": [{"startS": 0.5}],
                "cues": [{"kind": "CUE", "startS": 1.5, "index": 2}],
            }
        ],
        "a/2.mp3": [nothing | {"rating": 100}],
        "a/3.mp3": [],
    }  # fmt: skip


async def test_a_file_with_a_cue_sheet_is_none_of_its_tracks(
    run: Run, pool: asyncpg.Pool, gateway: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    await store_tracks("a.flac", "b.flac")
    await store_tracks(*(part_item(number, 2) for number in (1, 2)))
    root = await root_of(pool)
    located = [f"file://localhost{root}/{name}.flac" for name in ("a", "b")]
    collection = dj.rekordbox_xml(*(dj.rekordbox_track(each, Tonality="Am") for each in located))
    result = await run(collection)
    assert "rekordbox: 1 of 2 tracks imported" in result.output
    assert "a.flac: its cue sheet makes several tracks of it" in result.output
    found = await facts(gateway)
    assert found.pop("b.flac")
    assert found == {"a.flac": []}


async def test_an_import_replaces_the_earlier_one_of_the_same_program_alone(
    run: Run, pool: asyncpg.Pool, gateway: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    in_file = {"source": "traktor", "energy": 5}
    await store_tracks(track_item("1.mp3", imported_facts=[in_file]), "2.mp3")
    root = await root_of(pool)
    both = [dj.rekordbox_track(f"file://localhost{root}/{n}.mp3", Tonality="Am") for n in (1, 2)]
    folder = root.replace("/", "/:") + "/:"
    traktor = dj.traktor_nml(dj.traktor_entry(folder, "1.mp3", '<INFO KEY="1m"></INFO>'))
    for content in (dj.rekordbox_xml(*both), traktor, traktor, dj.rekordbox_xml(both[1])):
        assert (await run(content)).exit_code == 0

    def short(found: dict[str, Any]) -> dict[str, Any]:
        return {
            path: [(fact["source"], fact["isCollection"], fact["key"]) for fact in each]
            for path, each in found.items()
        }

    assert short(await facts(gateway)) == {
        "1.mp3": [("traktor", False, None), ("traktor", True, "1m")],
        "2.mp3": [("rekordbox", True, "Am")],
    }
    # The file is read again, without the fact in it: what was imported stays.
    await store_tracks(track_item("1.mp3", title="other"))
    assert short(await facts(gateway))["1.mp3"] == [("traktor", True, "1m")]


async def test_a_library_may_have_another_folder_for_the_dj_software(
    run: Run, gateway: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    await store_tracks(f"a/{unicodedata.normalize('NFD', 'é')}.mp3", "b.mp3")
    collection = dj.rekordbox_xml(
        dj.rekordbox_track("file://localhost/C:/Users/Ann/Music/a/%C3%A9.mp3", Tonality="Am"),
        dj.rekordbox_track("file://localhost/C:/Users/Ann/Music/b.mp3", Tonality="Am"),
    )
    lost = await run(collection)
    assert lost.exit_code == 1
    assert "the collection has them in C:/Users/Ann/Music" in lost.output
    assert "--folder" in lost.output
    found = await run(collection, "--folder", "c:\\users\\ann\\Music", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {
        "source": "rekordbox", "tracks": 2, "imported": 2, "elsewhere": 0, "unknown": 0,
    }  # fmt: skip
    assert [len(each) for each in (await facts(gateway)).values()] == [1, 1]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"<plist><dict/></plist>", (), "no tracks"),
        (b"<plist><COLLECTION><a/></COLLECTION></plist>", (), "neither rekordbox's XML nor"),
        (b"nonsense", (), "no XML"),
        (dj.rekordbox_xml(), (), "no tracks"),
        (dj.rekordbox_xml(), ("--library", "Other"), "there is no library Other"),
    ],
)
async def test_what_cannot_be_imported_is_said_in_a_line(
    content: bytes, options: tuple[str, ...], message: str, run: Run, store_tracks: StoreTracks
) -> None:
    await store_tracks("a.mp3")
    result = await run(content, *options)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


_IMPORT = """mutation ($library: ID!, $id: UUID!, $input: [FileFactInput!]!) {
  importFacts(libraryId: $library, importId: $id, input: $input) {
    trackIds errors { item error { code field } }
  }
}"""


async def test_items_are_stored_or_refused_one_by_one(
    gateway: httpx.AsyncClient, library_id: UUID, store_tracks: StoreTracks
) -> None:
    stored = await store_tracks("a.mp3", "b.mp3")
    items = [
        {"path": "a.mp3", "fact": {"source": "x", "energy": 99}},
        {"path": "/a.mp3", "fact": {"source": "x"}},
        {"path": "none.mp3", "fact": {"source": "x"}},
        {"path": "b.mp3", "fact": {"source": "x", "energy": 3}},
        {"path": "b.mp3", "fact": {"source": "x", "energy": 4}},
    ]
    variables = {
        "library": format_id(IdKind.LIBRARY, library_id), "id": str(uuid4()), "input": items,
    }  # fmt: skip
    answer = await gateway.post("/graphql", json={"query": _IMPORT, "variables": variables})
    b = stored[1].id
    assert b is not None
    known = format_id(IdKind.TRACK, b)
    assert answer.json()["data"]["importFacts"] == {
        "trackIds": [None, None, None, known, known],
        "errors": [
            {"item": 0, "error": {"code": "INVALID", "field": "energy"}},
            {"item": 1, "error": {"code": "INVALID", "field": "path"}},
        ],
    }
    assert [fact["energy"] for fact in (await facts(gateway))["b.mp3"]] == [4]
