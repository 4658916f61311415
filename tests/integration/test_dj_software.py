"""DJ software's data, from files of every kind of tag to the answers of the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import GEOB, PRIV
from pytest_asyncio import fixture

from services.api.store.tracks.facts import MOST_FACTS
from shared.contracts.tags import MOST_CUES, MOST_GRID_MARKERS
from shared.contracts.upserts import UpsertStatus
from shared.gateway.client import Gateway
from shared.runtime.settings import Settings
from tests import dj_software as dj
from tests.integration.conftest import StoreTracks, track_item
from tests.integration.extractor_setup import LibraryClient, running_extractor

_FACTS = """
query { tracks(first: 10, sort: TITLE) { edges { node { path revision otherTags importedFacts {
  source rating energy key understoodKey { key mode camelot } tempoBpm gainDb problem
  cues { kind startS endS index name color }
  beatGrid { startS tempoBpm beats beatInBar }
} } } } }
"""
_KINDS = {"a.flac": "FLAC", "b.mp3": "MP3", "c.wav": "WAV", "d.aiff": "AIFF", "e.ogg": "OGG"}
_TAGS = {
    "Markers2": dj.markers2(dj.cue(0, 1_500, "Drop"), dj.loop(1, 2_000, 4_000)),
    "BeatGrid": dj.beat_grid([(0.25, 8)], (4.25, 127.5)),
    "Autotags": dj.autotags(),
}
_IN_COMMENTS = {
    "Markers2": "serato_markers_v2", "BeatGrid": "serato_beatgrid", "Autotags": "serato_autogain",
}  # fmt: skip
_TREE = dj.traktor_tree([dj.traktor_cue("n.n.", 4, 250, 0, -1)], tempo_bpm=128, key="1m")
_NOTHING: dict[str, Any] = {
    "rating": None, "energy": None, "key": None, "understoodKey": None, "tempoBpm": None,
    "gainDb": None, "problem": None, "cues": [], "beatGrid": [],
}  # fmt: skip
_CUE = {"endS": None, "index": None, "name": None, "color": None}
_MARKER = {"beats": None, "beatInBar": None}
_EXPECTED = [
    _NOTHING | {"source": "mixed in key", "energy": 7},
    _NOTHING | {
        "source": "serato", "tempoBpm": 127.53, "gainDb": -3.257,
        "cues": [
            _CUE | {"kind": "CUE", "startS": 1.5, "index": 0, "name": "Drop", "color": "#c02626"},
            _CUE | {"kind": "LOOP", "startS": 2, "endS": 4, "index": 1, "color": "#27aae1"},
        ],
        "beatGrid": [
            _MARKER | {"startS": 0.25, "tempoBpm": 120, "beats": 8},
            _MARKER | {"startS": 4.25, "tempoBpm": 127.5},
        ],
    },
    _NOTHING | {
        "source": "traktor", "tempoBpm": 128, "key": "1m",
        "understoodKey": {"key": "A", "mode": "minor", "camelot": "8A"},
        "beatGrid": [_MARKER | {"startS": 0.25, "tempoBpm": 128}],
    },
]  # fmt: skip


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[LibraryClient]:
    root = tmp_path / "music"
    root.mkdir()
    async with running_extractor(pool, database_settings) as gateway:
        yield LibraryClient(gateway, root)


def write(path: Path) -> None:
    """A file with the data of three programs."""
    sound = np.zeros(44_100, dtype=np.float32)
    soundfile.write(path, sound, 44_100, format=_KINDS[path.name])
    file: Any = mutagen.File(path)
    energy = dj.mixed_in_key(energyLevel=7)
    if path.suffix in {".flac", ".ogg"}:
        for name, content in _TAGS.items():
            file[_IN_COMMENTS[name]] = dj.envelope(name, content)
        file.update(energy=energy, traktor4=dj.base91(_TREE))
    else:
        if file.tags is None:
            file.add_tags()
        objects = {f"Serato {name}": content for name, content in _TAGS.items()}
        objects["Energy"] = energy.encode()
        for name, content in objects.items():
            file.tags.add(GEOB(encoding=0, mime="", filename="", desc=name, data=content))
        file.tags.add(PRIV(owner="TRAKTOR4", data=_TREE))
    file.save()


async def facts(gateway: Gateway) -> dict[str, Any]:
    found = await gateway.execute_document(_FACTS, {})
    return {edge["node"]["path"]: edge["node"] for edge in found["tracks"]["edges"]}


async def test_every_container_has_the_facts_of_every_program(library: LibraryClient) -> None:
    for name in _KINDS:
        write(library.root / name)
    await library.scan()
    found = await facts(library.gateway)
    assert {path: node["importedFacts"] for path, node in found.items()} == dict.fromkeys(
        _KINDS, _EXPECTED
    )
    assert all(node["otherTags"].keys() <= {"encoder"} for node in found.values())


async def test_changed_facts_change_and_removed_ones_go(library: LibraryClient) -> None:
    path = library.root / "a.flac"
    write(path)
    await library.scan()
    file: Any = mutagen.File(path)
    file["serato_markers_v2"] = dj.envelope("Markers2", dj.markers2(dj.cue(5, 9_000)))
    del file["traktor4"]
    file.save()
    await library.scan()
    mixed, serato = (await facts(library.gateway))["a.flac"]["importedFacts"]
    assert (mixed["source"], serato["source"]) == ("mixed in key", "serato")
    assert [(cue["index"], cue["startS"]) for cue in serato["cues"]] == [(5, 9)]
    file["serato_markers_v2"] = dj.envelope("Markers2", b"\1\1****")
    file.save()
    await library.scan()
    _, serato = (await facts(library.gateway))["a.flac"]["importedFacts"]
    assert (serato["cues"], serato["problem"]) == ([], "Serato's markers2 cannot be read")
    assert len(serato["beatGrid"]) == 2
    file.delete()
    await library.scan()
    assert (await facts(library.gateway))["a.flac"]["importedFacts"] == []


_SERATO: dict[str, Any] = {"source": "serato", "tempo_bpm": 120.0}
_STORED_CUE = {"kind": "cue", "start_s": 1.0}


@pytest.mark.parametrize(
    "changed",
    [
        {"energy": 7},
        {"cues": [_STORED_CUE]},
        {"beat_grid": [{"start_s": 1.0, "tempo_bpm": 120.0}]},
        {"problem": "p"},
    ],
)
async def test_a_changed_fact_is_an_update_and_an_equal_one_is_not(
    changed: dict[str, Any], store_tracks: StoreTracks
) -> None:
    statuses = []
    for fact in (_SERATO, _SERATO | changed, _SERATO | changed, _SERATO):
        (stored,) = await store_tracks(track_item("a.mp3", imported_facts=[fact]))
        statuses.append(stored.status)
    assert statuses == [
        UpsertStatus.CREATED, UpsertStatus.UPDATED, UpsertStatus.UNCHANGED, UpsertStatus.UPDATED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        ({"energy": 11}, "energy"),
        ({"key": "x" * 101}, "key"),
        ({"tempo_bpm": -1}, "tempoBpm"),
        ({"gain_db": 1e3}, "gainDb"),
        ({"cues": [_STORED_CUE] * (MOST_CUES + 1)}, "cues"),
        ({"cues": [{"kind": "drop", "start_s": 1}]}, "kind"),
        ({"cues": [{"kind": "cue", "start_s": 1e9}]}, "startS"),
        ({"cues": [{"kind": "loop", "start_s": 5, "end_s": 4}]}, "endS"),
        ({"cues": [_STORED_CUE | {"color": "red"}]}, "color"),
        ({"cues": [_STORED_CUE | {"name": "x" * 201}]}, "name"),
        ({"beat_grid": [{"start_s": 1, "tempo_bpm": 1}] * (MOST_GRID_MARKERS + 1)}, "beatGrid"),
        ({"beat_grid": [{"start_s": 1, "tempo_bpm": 1e9}]}, "tempoBpm"),
        ({"beat_grid": [{"start_s": 1, "tempo_bpm": 9, "beat_in_bar": 0}]}, "beatInBar"),
    ],
)
async def test_a_fact_beyond_its_limits_is_an_error_and_other_items_are_stored(
    fact: dict[str, Any], field: str, store_tracks: StoreTracks
) -> None:
    bad, good = await store_tracks(
        track_item("a.mp3", imported_facts=[{"source": "a"} | fact]), "b.mp3"
    )
    assert bad.problem is not None
    assert bad.problem.field == field
    assert good.status is UpsertStatus.CREATED


async def test_lists_of_cues_count_for_the_budget_of_a_request(
    library: LibraryClient, store_tracks: StoreTracks
) -> None:
    grid = [{"start_s": float(beat), "tempo_bpm": 60.0} for beat in range(MOST_GRID_MARKERS)]
    many = [{"source": f"{number}", "beat_grid": grid} for number in range(MOST_FACTS)]
    await store_tracks(*(track_item(f"{number}.mp3", imported_facts=many) for number in range(3)))
    query = (
        "query { tracks(first: 10) { edges { node { importedFacts { beatGrid { startS } } } } } }"
    )
    with pytest.raises(Exception, match="rows in all"):
        await library.gateway.execute_document(query, {})
