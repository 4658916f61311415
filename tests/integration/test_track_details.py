"""Rare fields, from the file to the query: instruments, works, lyrics, other tags."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import mutagen
import numpy as np
import pytest
import soundfile
from pytest_asyncio import fixture

from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import UpsertStatus
from shared.gateway.client import Gateway
from shared.gateway.extraction import (
    MOST_LONG_TEXT,
    TrackUpsertColumns,
    TrackUpsertPayload,
    create_tracks,
)
from shared.gateway.inputs import TrackInput
from shared.runtime.settings import Settings
from tests.integration.conftest import StoreTracks, track_item
from tests.integration.extractor_setup import LibraryClient, running_extractor

_SHOWN = """
query ($kind: TrackKind) { tracks(first: 10, filter: {kind: $kind}) { edges { node {
  path kind work movement { name number total } moods grouping copyright tagKey hasLyrics
  credits { role creditedAs instrument artist { name sortName } }
  lyrics { text lrc lines { timeMs words } isSidecar }
  otherTags importedFacts { source rating playCount }
} } } }
"""


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[LibraryClient]:
    root = tmp_path / "music"
    root.mkdir()
    async with running_extractor(pool, database_settings) as gateway:
        yield LibraryClient(gateway, root)


def write(path: Path, **tags: Any) -> None:
    soundfile.write(path, np.zeros(4_410, dtype=np.float32), 44_100)
    file: Any = mutagen.File(path)
    file.update(tags)
    file.save()


async def shown(gateway: Gateway, kind: str | None = None) -> dict[str, Any]:
    found = await gateway.execute_document(_SHOWN, {"kind": kind})
    return {edge["node"].pop("path"): edge["node"] for edge in found["tracks"]["edges"]}


async def test_all_details_of_a_file_are_shown(library: LibraryClient) -> None:
    write(library.root / "plain.flac", title="Plain")
    write(
        library.root / "rich.flac", title="Rich", performer=["Ann (guitar)", "Bob (bass)"],
        composer="Bach", composersort="Bach, J. S.", work="Suite", movementname="Air",
        movement="2", movementtotal="5", mood=["calm", "slow"], grouping="Group", copyright="Us",
        key="Dm", lyrics="la", asin="B000", rating="0.8", podcast="1", encodedby=["a", "b"],
    )  # fmt: skip
    (library.root / "rich.lrc").write_text("[00:01.50]One\n[00:03.00]Two")
    await library.scan()
    both = await shown(library.gateway)
    assert both["plain.flac"] == {
        "kind": "MUSIC", "work": None, "movement": None, "moods": [], "grouping": None,
        "copyright": None, "tagKey": None, "hasLyrics": False, "credits": [], "lyrics": None,
        "otherTags": {}, "importedFacts": [],
    }  # fmt: skip
    rich = both["rich.flac"]
    assert [(one["creditedAs"], one["instrument"]) for one in rich.pop("credits")] == [
        ("Bach", None), ("Ann", "guitar"), ("Bob", "bass"),
    ]  # fmt: skip
    assert rich == {
        "kind": "PODCAST", "work": "Suite", "movement": {"name": "Air", "number": 2, "total": 5},
        "moods": ["calm", "slow"], "grouping": "Group", "copyright": "Us", "tagKey": "Dm",
        "hasLyrics": True,
        "lyrics": {
            "text": "One\nTwo", "lrc": "[00:01.500]One\n[00:03.000]Two", "isSidecar": True,
            "lines": [{"timeMs": 1_500, "words": "One"}, {"timeMs": 3_000, "words": "Two"}],
        },
        "otherTags": {"asin": ["B000"], "encodedby": ["a", "b"]},
        "importedFacts": [{"source": "tags", "rating": 80, "playCount": None}],
    }  # fmt: skip
    assert set(await shown(library.gateway, "PODCAST")) == {"rich.flac"}
    assert set(await shown(library.gateway, "AUDIOBOOK")) == set()

    write(library.root / "rich.flac", title="Rich")
    (library.root / "rich.lrc").unlink()
    await library.scan()
    after = await shown(library.gateway)
    assert after["rich.flac"] == after["plain.flac"]


_GUESSED = """
query { tracks(first: 10, sort: TITLE) { edges { node {
  title titleIsFileName artists trackNumber guessed otherTags tagKey taggedKey { key mode camelot }
  album { title artistCredit }
} } } }
"""


async def test_guesses_are_marked_and_tagged_keys_understood(library: LibraryClient) -> None:
    folder = library.root / "Ann Arbour" / "Deep Water (1999)"
    folder.mkdir(parents=True)
    write(folder / "03 Hyper.flac")
    write(library.root / "b.flac", title="Keyed", key="F\u266fm")
    write(library.root / "c.flac", title="Other", key="loud")
    await library.scan()
    found = await library.gateway.execute_document(_GUESSED, {})
    assert [edge["node"] for edge in found["tracks"]["edges"]] == [
        {
            "title": "Hyper", "titleIsFileName": True, "artists": ["Ann Arbour"],
            "trackNumber": 3, "guessed": ["title", "artist", "tracknumber", "album", "date"],
            "otherTags": {}, "tagKey": None, "taggedKey": None,
            "album": {"title": "Deep Water", "artistCredit": "Ann Arbour"},
        },
        {
            "title": "Keyed", "titleIsFileName": False, "artists": [], "trackNumber": None,
            "guessed": [], "otherTags": {}, "tagKey": "F\u266fm",
            "taggedKey": {"key": "F#", "mode": "minor", "camelot": "11A"}, "album": None,
        },
        {
            "title": "Other", "titleIsFileName": False, "artists": [], "trackNumber": None,
            "guessed": [], "otherTags": {}, "tagKey": "loud", "taggedKey": None, "album": None,
        },
    ]  # fmt: skip


_ORDERED = """
query { albums(first: 1) { edges { node { tracks { title otherTags } } } } }
"""


async def test_numbers_of_records_sort_by_side(library: LibraryClient) -> None:
    numbers = {"B2": "Aa", "A1": "Dd", "A2": "Cc", "B1": "Bb"}
    for number, title in numbers.items():
        write(library.root / f"{title}.flac", title=title, album="Sides", artist="V",
              albumartist="V", tracknumber=number)  # fmt: skip
    await library.scan()
    found = await library.gateway.execute_document(_ORDERED, {})
    nodes = found["albums"]["edges"][0]["node"]["tracks"]
    assert [node["title"] for node in nodes] == ["Dd", "Cc", "Bb", "Aa"]
    assert [node["otherTags"]["tracknumber"] for node in nodes] == [["A1"], ["A2"], ["B1"], ["B2"]]


async def test_typographic_signs_part_no_artists_and_albums(library: LibraryClient) -> None:
    for number, sign in enumerate("'\u2019"):
        write(library.root / f"{number}.flac", title="T", artist=f"Guns N{sign} Horses",
              album=f"Don{sign}t", albumartist=f"Guns N{sign} Horses")  # fmt: skip
    await library.scan()
    found = await library.gateway.execute_document(
        "query { albums(first: 9) { totalCount } artists(first: 9) { totalCount } }", {}
    )
    assert found == {"albums": {"totalCount": 1}, "artists": {"totalCount": 1}}


_DETAILS: dict[str, Any] = {
    "kind": "audiobook", "work": "W", "moods": ["calm"], "lyrics_plain": "la",
    "lyrics_synced": "[00:01.000]la", "other_tags": {"asin": ["B"]},
    "imported_facts": [{"source": "a@b", "rating": 80, "play_count": 3}],
}  # fmt: skip


@pytest.mark.parametrize("name", _DETAILS)
async def test_a_changed_detail_is_an_update_and_an_equal_one_is_not(
    name: str, pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await store_tracks("a.mp3")
    detail = {name: _DETAILS[name]}
    statuses = [(await store_tracks(track_item("a.mp3", **detail)))[0].status for _ in range(2)]
    statuses += [(await store_tracks("a.mp3"))[0].status for _ in range(2)]
    changed_once = [UpsertStatus.UPDATED, UpsertStatus.UNCHANGED]
    assert statuses == changed_once * 2
    for table in ("track_lyrics", "track_other_tags", "imported_facts"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "noise"}, "kind"),
        ({"lyrics_plain": "x" * 50_001}, "lyricsPlain"),
        ({"other_tags": {f"n{n}": ["v"] for n in range(65)}}, "otherTags"),
        ({"other_tags": {"n": ["v" * 16_000]}}, "otherTags"),
        ({"other_tags": {"n": ["\0"]}}, "otherTags"),
        ({"imported_facts": [{"source": "a", "rating": 101}]}, "rating"),
        ({"imported_facts": [{"source": f"{n}"} for n in range(11)]}, "importedFacts"),
    ],
)
async def test_a_detail_over_its_limit_is_an_error_and_other_items_are_stored(
    change: dict[str, Any], field: str, store_tracks: StoreTracks
) -> None:
    bad, good = await store_tracks(track_item("a.mp3", **change), "b.mp3")
    assert bad.problem is not None
    assert bad.problem.field == field
    assert good.status is UpsertStatus.CREATED


async def test_long_texts_are_split_over_several_requests(library_id: Any) -> None:
    sizes: list[int] = []

    class CountingTransport:
        async def execute(self, _operation: object, variables: Any) -> Any:
            sizes.append(len(variables["input"]))
            ids = [item.path for item in variables["input"]]
            nothing: list[Any] = [None] * len(ids)
            columns = TrackUpsertColumns(ids, nothing, nothing, nothing, [], [])
            return {"createTracks": TrackUpsertPayload(columns)}

        async def post_covers(self, images: object) -> Any:
            raise NotImplementedError

    items = [
        TrackInput(
            path=str(number), size_bytes=1, mtime_ns=1, title="", artist_credit="", credits=(),
            genres=(), container="", codec="", duration_s=1, lyrics_plain="x" * 20_000,
            other_tags={"n": ["v" * 5_000]},
        )
        for number in range(200)
    ]  # fmt: skip
    library = format_id(IdKind.LIBRARY, library_id)
    results = await create_tracks(Gateway(CountingTransport()), library, None, items)
    assert [result.id for result in results] == [item.path for item in items]
    assert max(sizes) <= MOST_LONG_TEXT / 25_000
    assert sum(sizes) == len(items)
