"""Single nodes and the status: every stored field is shown."""

from uuid import UUID

import asyncpg
import pytest

from services.api.handlers import keep_failures
from services.api.store.analyses.upsert import upsert_analyses
from shared.contracts.identity import IdKind, encode_path, format_id
from shared.contracts.topics import Stage
from tests.integration.api_read_fixtures import (
    UNKNOWN_UUID,
    SchemaClient,
    ask,
    dropped_space_indexes,
    fill,
)
from tests.integration.api_write_items import begin_scan, extracted, letter, track_of
from tests.integration.conftest import StoreTracks, analysis_item, track_item

__all__ = ["ask", "dropped_space_indexes"]


async def test_node_finds_everything_that_has_an_id(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    (made, *_) = await fill(pool, library_id, 3)
    scan = await begin_scan(pool, 1)
    await keep_failures(pool, [letter(extracted(made), Stage.ANALYZE)])
    ids = {
        "Track": track_of(made),
        "Scan": format_id(IdKind.SCAN, scan),
        **{
            name: format_id(kind, await pool.fetchval(f"SELECT id FROM {name.lower()}s LIMIT 1"))
            for name, kind in (
                ("Artist", IdKind.ARTIST), ("Album", IdKind.ALBUM),
                ("Genre", IdKind.GENRE), ("Failure", IdKind.FAILURE),
            )
        },
    }  # fmt: skip
    document = "query($id: ID!) { node(id: $id) { __typename id } }"
    for name, id_ in ids.items():
        assert (await ask(document, id=id_))["node"] == {"__typename": name, "id": id_}
        unknown = id_.partition("_")[0] + "_" + UNKNOWN_UUID
        assert (await ask(document, id=unknown))["node"] is None


async def test_a_track_shows_what_was_stored(
    ask: SchemaClient, store_tracks: StoreTracks, artist_id: str
) -> None:
    path = encode_path(b"caf\xe9/x.mp3")
    item = track_item(
        path, title="Hyperballad", isrcs=["GBAYE9600001"], replaygain_track_gain_db=-3.5,
        disc_number=1, size_bytes=2**40, musicbrainz_recording_id=str(UUID(int=3)),
        credits=[
            {"artist_id": artist_id, "credited_as": "B.", "role": "composer", "join_phrase": ""},
            {"artist_id": artist_id, "credited_as": "Björk", "role": "artist", "join_phrase": " &"},
        ],
    )  # fmt: skip
    await store_tracks(item)
    shown = await ask(
        "{ tracks { edges { node { title path displayPath sizeBytes mtimeNs isrcs stage artists"
        " musicbrainzRecordingId replaygain { trackGainDb albumGainDb } album { id }"
        " analysis { key } credits { role creditedAs joinPhrase artist { name } }"
        " vectors { model } cover { url }"
        " only: credits(role: COMPOSER) { creditedAs } library { name root trackCount } } } } }"
    )
    assert shown["tracks"]["edges"][0]["node"] == {
        "title": "Hyperballad", "path": path, "displayPath": "caf\\xe9/x.mp3",
        "sizeBytes": 2**40, "mtimeNs": item["mtime_ns"], "isrcs": ["GBAYE9600001"],
        "stage": "EXTRACTED", "artists": ["Björk"], "musicbrainzRecordingId": str(UUID(int=3)),
        "replaygain": {"trackGainDb": -3.5, "albumGainDb": None}, "album": None, "analysis": None,
        "credits": [
            {"role": "ARTIST", "creditedAs": "Björk", "joinPhrase": " &",
             "artist": {"name": "Björk"}},
            {"role": "COMPOSER", "creditedAs": "B.", "joinPhrase": "", "artist": {"name": "Björk"}},
        ],
        "only": [{"creditedAs": "B."}], "vectors": [], "cover": None,
        "library": {"name": "music", "root": "/music", "trackCount": 1},
    }  # fmt: skip


async def test_the_status_counts_and_lists_failures(
    ask: SchemaClient, pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(5)))
    letters = [letter(extracted(one), Stage.ANALYZE, f"broken {n}") for n, one in enumerate(made)]
    await keep_failures(pool, letters[:3])
    status = (await ask("{ status { tracks failed pending stages { stage done failed total } } }"))[
        "status"
    ]
    assert (status["tracks"], status["failed"], status["pending"]) == (5, 3, 2)
    assert status["stages"][1] == {"stage": "ANALYZED", "done": 0, "failed": 3, "total": 5}
    document = (
        "query($f: FailureFilter, $a: String) { failures(first: 2, after: $a, filter: $f)"
        " { totalCount pageInfo { endCursor hasNextPage }"
        " edges { node { stage kind message path displayPath trackId topic attempts } } } }"
    )
    page = (await ask(document))["failures"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    rest = (await ask(document, a=page["pageInfo"]["endCursor"]))["failures"]
    nodes = [edge["node"] for edge in page["edges"] + rest["edges"]]
    assert {node["path"] for node in nodes} == {"0.mp3", "1.mp3", "2.mp3"}
    assert {(node["stage"], node["kind"]) for node in nodes} == {("analyzer", "INVALID")}
    for failure_filter, number in (
        ({"trackId": track_of(made[1])}, 1), ({"stage": "indexer"}, 0), ({"kind": "BUG"}, 0),
        ({"topic": "track.extracted", "includeResolved": True}, 3), ({"ids": []}, 3),
    ):  # fmt: skip
        assert (await ask(document, f=failure_filter))["failures"]["totalCount"] == number, (
            failure_filter
        )


async def test_known_files_come_in_columns_by_path_below_a_folder(
    ask: SchemaClient, store_tracks: StoreTracks, library_id: UUID
) -> None:
    await store_tracks("a/1.mp3", "a/2.mp3", "a b/3.mp3", "a0.mp3")
    document = (
        "query($l: ID!, $f: String, $a: String) { knownFiles(libraryId: $l, folder: $f, after: $a,"
        " first: 3) { paths sizesBytes mtimesNs missing endCursor } }"
    )
    variables = {"l": format_id(IdKind.LIBRARY, library_id)}
    first = (await ask(document, **variables))["knownFiles"]
    rest = (await ask(document, **variables, a=first["endCursor"]))["knownFiles"]
    assert first["paths"] + rest["paths"] == ["a b/3.mp3", "a/1.mp3", "a/2.mp3", "a0.mp3"]
    assert (rest["endCursor"], rest["sizesBytes"], rest["missing"]) == (None, [1_000], [False])
    below = (await ask(document, **variables, f="a"))["knownFiles"]
    assert below["paths"] == ["a/1.mp3", "a/2.mp3"]


_SELECTION = """
query($name: String!) {
  __type(name: $name) { fields { name type { name kind ofType { name kind ofType {
    name kind ofType { name kind } } } } } }
}
"""


async def _every_field(ask: SchemaClient, name: str) -> str:
    """A selection of all fields of a type, including those of nested types."""
    names = []
    for field in (await ask(_SELECTION, name=name))["__type"]["fields"]:
        type_ = field["type"]
        while type_.get("ofType"):
            type_ = type_["ofType"]
        inner = await _every_field(ask, type_["name"]) if type_["kind"] == "OBJECT" else ""
        names.append(field["name"] + inner)
    return f" {{ {' '.join(names)} }}"


async def test_the_analysis_shown_has_every_field(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    (made,) = await fill(pool, library_id, 1)
    every = await _every_field(ask, "Analysis")
    document = f"query($i: [ID!]!) {{ tracksById(ids: $i) {{ analysis {every} }} }}"
    shown = (await ask(document, i=[track_of(made)]))["tracksById"][0]["analysis"]
    item = analysis_item(made)
    assert shown["mfccMean"] == item["mfcc_mean"]
    assert shown["waveform"] == item["waveform"]
    assert shown["meaning"]["relaxed"] == pytest.approx({"score": 0.5, "confidence": 0.1})
    assert shown["meaning"]["tags"][0] == {"name": "rock", "score": 0.4}
    empty = {name for name, value in shown.items() if value is None}
    assert empty == {"fingerprint", "acoustidId", "meaningAbsence"}
    assert None not in shown["meaning"].values()


async def test_an_album_has_the_combined_loudness_of_its_tracks(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    made = await fill(pool, library_id, 2)
    counts = [[0] * 100 + [n] + [0] * 59 for n in (3, 1)]
    counts[1][130] = 4
    for one, histogram in zip(made, counts, strict=True):
        means_lufs = [(-4.8 if n == 130 else -19.75) if count else 0.0
                      for n, count in enumerate(histogram)]  # fmt: skip
        item = analysis_item(
            one, loudness_histogram=histogram, loudness_histogram_lufs=means_lufs,
            true_peak_dbtp=-1.5,
        )  # fmt: skip
        await upsert_analyses(pool, [item])
    document = (
        "{ albums { edges { node { loudness"
        " { integratedLufs replaygainAlbumGainDb truePeakDbtp tracks } } } } }"
    )
    (edge,) = (await ask(document))["albums"]["edges"]
    # Four blocks at -4.8 LUFS; those at -19.75 are below the gate of the album.
    assert edge["node"]["loudness"] == pytest.approx(
        {
            "integratedLufs": -4.8, "replaygainAlbumGainDb": -13.2, "truePeakDbtp": -1.5,
            "tracks": 2,
        }
    )  # fmt: skip
