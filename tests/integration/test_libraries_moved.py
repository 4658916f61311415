"""A library's root is moved, mistyped, unmounted or not allowed: no track is doubled or lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from pytest_asyncio import fixture

from shared.bus.in_process import InProcessBus
from shared.contracts.events import ScanRequested
from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.integration.gateways import running_gateway
from tests.integration.library_changes import FILES, retag, write

_LIBRARIES = "{ libraries { id name root trackCount isBeingRemoved } }"
_MOVE = """
mutation ($id: ID!, $root: String!) {
  moveLibrary(id: $id, root: $root) { library { id name root } error { code message field } }
}
"""
_RENAME = """
mutation ($id: ID!, $name: String!) {
  renameLibrary(id: $id, name: $name) { library { name } error { code field } }
}
"""
_SEPARATE = """
mutation ($root: String!) {
  requestScan(input: {root: $root, isSeparateLibrary: true}) { scan { id } error { message } }
}
"""
_CORRECT = """
mutation ($id: ID!) {
  correctTracks(input: [{trackId: $id, tempoBpm: 99}]) { results { error { message } } }
}
"""
_SCANS = "{ scans(first: 5) { state message root library { name } } }"


class Bay:
    """The running product, and a folder for libraries."""

    def __init__(self, gateway: Any, place: Path, bus: InProcessBus, pool: asyncpg.Pool) -> None:
        self.gateway = gateway
        self.place = place
        self.bus = bus
        self.pool = pool

    def library(self, name: str) -> LibraryClient:
        return LibraryClient(self.gateway, self.place / name)

    def fill(self, name: str, sound: int = 1) -> LibraryClient:
        """A folder with music, and a client that scans it."""
        for number, path in enumerate(FILES):
            write(self.place / name / path, sound + number, tracknumber=str(number))
        return self.library(name)

    async def ask(self, document: str, **variables: Any) -> Any:
        return await self.gateway.execute_document(document, variables)

    async def libraries(self) -> dict[str, dict[str, Any]]:
        found = (await self.ask(_LIBRARIES))["libraries"]
        return {library["name"]: library for library in found}

    async def states(self) -> list[str]:
        return [scan["state"] for scan in (await self.ask(_SCANS))["scans"]]

    async def move(self, name: str, root: Path) -> Any:
        id_ = (await self.libraries())[name]["id"]
        return (await self.ask(_MOVE, id=id_, root=str(root)))["moveLibrary"]

    async def tracks(self) -> dict[str, str]:
        """The id of each track that is there, by path."""
        return {path: track["id"] for path, track in (await self.library("").tracks()).items()}


@fixture
async def bay(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[Bay]:
    bus = InProcessBus()
    async with running_extractor(pool, database_settings, bus) as gateway:
        yield Bay(gateway, tmp_path, bus, pool)


async def test_a_moved_root_is_recognised_and_after_the_move_nothing_is_read(bay: Bay) -> None:
    await bay.fill("old").scan()
    before = await bay.tracks()
    await bay.ask(_CORRECT, id=before[FILES[0]])
    tables = await bay.pool.fetch("SELECT * FROM files ORDER BY path")
    (bay.place / "old").rename(bay.place / "new")

    refused = await bay.library("new").scan()
    assert refused["state"] == "REFUSED"
    for words in ("'old'", "soniquebay library move old", "--separate", str(bay.place / "new")):
        assert words in refused["message"]
    assert list(await bay.libraries()) == ["old"]
    assert await bay.tracks() == before

    moved = await bay.move("old", bay.place / "new")
    assert moved["error"] is None
    assert moved["library"]["root"] == str(bay.place / "new")
    scan = await bay.library("new").scan()
    assert (scan["state"], scan["filesRead"], scan["filesUnchanged"]) == ("FINISHED", 0, 4)
    assert await bay.tracks() == before
    assert await bay.pool.fetch("SELECT * FROM files ORDER BY path") == tables
    assert await bay.pool.fetchval("SELECT tempo_bpm FROM corrections") == 99


async def test_a_root_whose_disk_is_not_mounted_is_never_moved_by_itself(bay: Bay) -> None:
    await bay.fill("disk").scan()
    before = await bay.tracks()
    shutil.copytree(bay.place / "disk", bay.place / "copy")
    (bay.place / "disk").rename(bay.place / "unplugged")
    (bay.place / "disk").mkdir()  # the mount point

    assert (await bay.library("copy").scan())["state"] == "REFUSED"
    assert (await bay.libraries())["disk"]["root"] == str(bay.place / "disk")
    (bay.place / "disk").rmdir()
    (bay.place / "unplugged").rename(bay.place / "disk")
    scan = await bay.library("disk").scan()
    assert (scan["state"], scan["filesRead"], scan["filesMissing"]) == ("FINISHED", 0, 0)
    assert await bay.tracks() == before


async def test_retagged_files_are_recognised_and_other_sounds_at_the_same_paths_are_not(
    bay: Bay,
) -> None:
    await bay.fill("old").scan()
    (bay.place / "old").rename(bay.place / "new")
    bay.fill("other", sound=100)
    assert (await bay.library("other").scan())["state"] == "FINISHED"
    for path in FILES:
        retag(bay.place / "new" / path, title="Another title, which makes the file longer" * 20)
    assert (await bay.library("new").scan())["state"] == "REFUSED"
    assert set(await bay.libraries()) == {"old", "other"}


async def test_a_copy_of_a_library_that_is_there_is_another_library(bay: Bay) -> None:
    await bay.fill("old").scan()
    shutil.copytree(bay.place / "old", bay.place / "copy")
    assert (await bay.library("copy").scan())["state"] == "FINISHED"
    assert {name: each["trackCount"] for name, each in (await bay.libraries()).items()} == {
        "copy": 4,
        "old": 4,
    }


async def test_a_person_may_add_a_copy_of_a_library_that_is_not_there(bay: Bay) -> None:
    await bay.fill("old").scan()
    (bay.place / "old").rename(bay.place / "new")
    assert (await bay.library("new").scan())["state"] == "REFUSED"
    assert (await bay.ask(_SEPARATE, root=str(bay.place / "new")))["requestScan"]["error"] is None
    assert (await bay.library("new").scan())["state"] == "FINISHED"
    assert set(await bay.libraries()) == {"old", "new"}


@pytest.mark.parametrize("name", ["nowhere", "a file", "no/such/parent"])
async def test_a_mistyped_root_makes_no_library(bay: Bay, name: str) -> None:
    (bay.place / "a file").write_text("no folder")
    scan = await bay.library(name).scan()
    assert scan["state"] == "REFUSED"
    assert str(bay.place / name) in scan["message"]
    assert await bay.libraries() == {}
    (shown,) = (await bay.ask(_SCANS))["scans"]
    assert (shown["root"], shown["library"]) == (str(bay.place / name), None)


async def test_an_event_with_a_mistyped_root_makes_no_library(bay: Bay) -> None:
    await bay.bus.publish([ScanRequested(root=str(bay.place / "nowhere"))])
    async with asyncio.timeout(20):
        while await bay.states() != ["REFUSED"]:  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.05)
    assert await bay.libraries() == {}


async def test_a_known_library_stays_when_its_root_is_gone(bay: Bay) -> None:
    await bay.fill("music").scan()
    (bay.place / "music").rename(bay.place / "elsewhere")
    assert (await bay.library("music").scan())["state"] == "REFUSED"
    assert (await bay.libraries())["music"]["trackCount"] == 4
    (bay.place / "empty").mkdir()
    assert (await bay.library("empty").scan())["state"] == "FINISHED"
    (bay.place / "empty").rmdir()
    assert (await bay.library("empty").scan())["state"] == "REFUSED"
    assert set(await bay.libraries()) == {"music", "empty"}


async def test_a_move_to_a_wrong_folder_loses_nothing(bay: Bay) -> None:
    await bay.fill("music").scan()
    before = await bay.tracks()
    (bay.place / "wrong").mkdir()
    for root, state in ((bay.place / "wrong", "HELD"), (bay.place / "nowhere", "REFUSED")):
        assert (await bay.move("music", root))["error"] is None
        assert (await bay.library(root.name).scan())["state"] == state
        assert await bay.tracks() == before
    assert (await bay.move("music", bay.place / "music"))["error"] is None
    scan = await bay.library("music").scan()
    assert (scan["filesRead"], scan["filesUnchanged"]) == (0, 4)


async def test_a_library_moves_to_no_place_of_another_one(bay: Bay) -> None:
    await bay.fill("one").scan()
    await bay.fill("two/inner", sound=50).scan()
    for root, words in (
        ("two/inner", "belongs to the library 'inner'"),
        ("two/inner/a", "belongs to the library 'inner'"),
        ("two", "contains the library 'inner'"),
    ):
        error = (await bay.move("one", bay.place / root))["error"]
        assert (error["code"], error["field"]) == ("CONFLICT", "root")
        assert words in error["message"]
    # Its own former root may be in the new one, and the other way round.
    assert (await bay.move("inner", bay.place / "two"))["error"] is None
    assert (await bay.move("inner", bay.place / "two/inner"))["error"] is None
    assert (await bay.move("one", Path("relative")))["error"]["field"] == "root"


async def test_a_renamed_library_is_scanned_by_its_new_name(bay: Bay) -> None:
    await bay.fill("one").scan()
    await bay.fill("two", sound=50).scan()
    id_ = (await bay.libraries())["one"]["id"]
    taken = (await bay.ask(_RENAME, id=id_, name="two"))["renameLibrary"]
    assert taken["error"] == {"code": "CONFLICT", "field": "name"}
    empty = (await bay.ask(_RENAME, id=id_, name=" "))["renameLibrary"]
    assert empty["error"]["field"] == "name"
    done = (await bay.ask(_RENAME, id=id_, name="  Own  music "))["renameLibrary"]
    assert done == {"library": {"name": "Own music"}, "error": None}
    assert (await bay.libraries())["Own music"]["id"] == id_
    scan = await bay.library("one").scan()
    assert (scan["state"], scan["filesRead"]) == ("FINISHED", 0)


async def test_what_is_not_a_library_is_not_found(bay: Bay) -> None:
    unknown = "lib_" + "0" * 32
    for document, field in ((_MOVE, "moveLibrary"), (_RENAME, "renameLibrary")):
        answer = (await bay.ask(document, id=unknown, root="/music", name="x"))[field]
        assert answer["library"] is None
        assert answer["error"]["code"] == "NOT_FOUND"


_SCAN_ROOT = """
mutation ($root: String!) { requestScan(input: {root: $root}) { error { code message field } } }
"""


@pytest.mark.parametrize(
    ("changes", "root", "is_allowed"),
    [
        ({}, "/anywhere", True),
        ({"roots": ("/srv/music", "/mnt")}, "/srv/music", True),
        ({"roots": ("/srv/music", "/mnt")}, "/mnt/more/music", True),
        ({"roots": ("/srv/music",)}, "/srv/music-of-others", False),
        ({"roots": ("/srv/music",)}, "/srv/music/../secret", False),
        ({"roots": ("/srv/music",)}, "/srv", False),
        ({"roots": ("/",)}, "/etc", True),
        ({"host": "0.0.0.0", "token": SecretStr("t")}, "/anywhere", False),
        ({"host": "0.0.0.0", "token": SecretStr("t"), "roots": ("/srv",)}, "/srv/music", True),
    ],
)
async def test_new_roots_are_bounded_by_a_setting_and_beyond_loopback(
    pool: asyncpg.Pool,
    database_settings: Settings,
    changes: dict[str, Any],
    root: str,
    is_allowed: bool,
) -> None:
    async with running_gateway(database_settings, **changes) as client:
        client.headers["authorization"] = "Bearer t"
        error = (await _post(client, _SCAN_ROOT, root=root))["requestScan"]["error"]
        assert (error is None) is is_allowed
        if error:
            assert (error["code"], error["field"]) == ("INVALID", "root")
            assert "SONIQUEBAY_ROOTS" in error["message"]
            id_ = await pool.fetchval(
                "INSERT INTO libraries (name, root) VALUES ('known', '/known')"
                " RETURNING 'lib_' || replace(id::text, '-', '')"
            )
            moved = (await _post(client, _MOVE, id=id_, root=root))["moveLibrary"]
            assert moved["error"]["field"] == "root"
            known = (await _post(client, _SCAN_ROOT, root="/known/album"))["requestScan"]
            assert known["error"] is None


async def _post(client: httpx.AsyncClient, document: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": document, "variables": variables})
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]
