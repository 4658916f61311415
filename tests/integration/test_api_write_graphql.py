"""The mutations as a client calls them, with the real store and a real bus."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest
from graphql import parse
from graphql.language.ast import ObjectTypeDefinitionNode
from pytest_asyncio import fixture

from services import api
from services.api.graphql.context import Context
from services.api.store import progress
from services.api.store.checks import MOST_ITEMS
from services.api.store.failures.write import store_failures
from services.api.store.results import TrackUpserted
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.envelope import encode
from shared.contracts.events import Event, FileFound, ScanRequested
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage, Topic
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import SCHEMA
from tests.integration.api_write_items import AUDIO, TEXT, extracted, letter, track_of
from tests.integration.conftest import StoreTracks, analysis_item, track_item

Execute = Callable[..., Awaitable[dict[str, Any]]]


@fixture
async def published(pool: asyncpg.Pool) -> list[Event]:
    return []


@fixture
async def execute(pool: asyncpg.Pool, published: list[Event]) -> Any:
    bus = InProcessBus()
    absent: Any = None  # mutations neither search nor embed

    async def handle(events: Any) -> Outcome:
        published.extend(events)
        return Outcome()

    for topic, stage in (
        (Topic.SCAN_REQUESTED, Stage.WALK),
        (Topic.TRACK_EXTRACTED, Stage.ANALYZE),
        (Topic.FILE_FOUND, Stage.READ),
    ):
        bus.subscribe(Subscription(topic, stage, handle, batch_wait_s=0))
    await bus.start()

    async def run(document: str, **variables: Any) -> dict[str, Any]:
        context = Context(pool, bus, Settings(), search=absent, embedder=absent)
        result = await SCHEMA.execute(document, variables, context)
        if result.errors:
            raise result.errors[0]
        assert result.data is not None
        return result.data

    yield run
    await bus.drain(5)


def camel(item: Any) -> Any:
    if isinstance(item, dict):
        return {
            "".join(p if i == 0 else p.capitalize() for i, p in enumerate(name.split("_"))): camel(
                value
            )
            for name, value in item.items()
        }
    return [camel(one) for one in item] if isinstance(item, list) else item


def test_the_mutations_are_those_of_the_checked_in_schema() -> None:
    def fields(text: str) -> dict[str, Any]:
        found = [
            node
            for node in parse(text, no_location=True).definitions
            if isinstance(node, ObjectTypeDefinitionNode) and node.name.value == "Mutation"
        ]
        return {
            field.name.value: (
                field.type.to_dict(),
                sorted((a.name.value, str(a.type.to_dict())) for a in field.arguments or ()),
            )
            for field in found[0].fields or ()
        }

    contract = Path(api.__file__).with_name("schema.graphql").read_text()
    assert fields(SCHEMA.as_str()) == fields(contract)


async def test_a_library_is_scanned_stored_analyzed_and_vectorized_through_the_gateway(
    execute: Execute, pool: asyncpg.Pool, published: list[Event]
) -> None:
    scan = "scan { id state library { id name } filesToRead filesRead } error { message }"
    requested = [
        (await execute(f'mutation {{ requestScan(input: {{root: "/music"}}) {{ {scan} }} }}'))[
            "requestScan"
        ]["scan"]
        for _ in range(2)
    ]
    assert requested[0] == requested[1]
    begin = "mutation($i: BeginScanInput!) { beginScan(input: $i) { " + scan + " } }"
    begun = (await execute(begin, i={"root": "/music"}))["beginScan"]["scan"]
    assert (begun["id"], begun["state"]) == (requested[0]["id"], "WALKING")
    report = "mutation($i: ReportWalkInput!) { reportWalk(input: $i) { " + scan + " } }"
    counts = {"filesSeen": 2, "filesToRead": 2, "filesUnchanged": 0, "filesMissing": 0}
    walked = await execute(report, i={"scanId": begun["id"], "isFinished": True, **counts})
    assert walked["reportWalk"]["scan"]["state"] == "READING"

    results = "results { id status error { code message field } }"
    artists = await execute(
        "mutation($i: [ArtistInput!]!) { createArtists(input: $i) { " + results + " } }",
        i=[{"name": "Björk"}],
    )
    credit = {"artistId": artists["createArtists"]["results"][0]["id"], "creditedAs": "B."}
    albums = await execute(
        "mutation($i: [AlbumInput!]!) { createAlbums(input: $i) { " + results + " } }",
        i=[
            {
                "title": "T", "artistCredit": "Björk", "credits": [credit], "folder": "f",
                "libraryId": begun["library"]["id"],
            }
        ],
    )  # fmt: skip
    album = albums["createAlbums"]["results"][0]["id"]
    numbers = "results { id status revision contentRevision error { code field message } }"
    items = [
        camel(track_item(f"f/{n}.mp3", credits=[credit | {"role": "COMPOSER"}], album_id=album))
        for n in range(2)
    ]
    create = (
        "mutation($l: ID!, $s: ID, $i: [TrackInput!]!)"
        " { createTracks(libraryId: $l, scanId: $s, input: $i) { " + numbers + " } }"
    )
    ids = {"l": begun["library"]["id"], "s": begun["id"]}
    made = (await execute(create, **ids, i=items))["createTracks"]["results"]
    assert [one["status"] for one in made] == ["CREATED", "CREATED"]
    assert [row["state"] for row in await pool.fetch("SELECT state FROM scans")] == ["finished"]
    assert await pool.fetchval("SELECT count(*) FROM track_credits WHERE role = 'composer'") == 2

    assert (
        await execute(
            "mutation($i: [VectorSpaceInput!]!) { registerVectorSpaces(input: $i) }",
            i=[AUDIO, TEXT],
        )
    )["registerVectorSpaces"]
    stored = TrackUpserted(id=UUID(made[0]["id"][4:]), content_revision=1)
    columns = (
        " columns { ids statuses revisions contentRevisions errors { item error { field } } } } }"
    )
    fields = {"bandwidth_kind": "NATURAL"}  # an enumeration, as GraphQL has it
    analyzed = await execute(
        "mutation($i: [AnalysisInput!]!) { createAnalyses(input: $i) { " + numbers + columns,
        i=[camel(analysis_item(stored, **fields)), camel(analysis_item(stored, key="X", **fields))],
    )
    assert analyzed["createAnalyses"]["results"][0]["revision"] == 2
    assert analyzed["createAnalyses"]["results"][1]["error"]["field"] == "key"
    assert analyzed["createAnalyses"]["columns"] == {
        "ids": [made[0]["id"], None],
        "statuses": ["CREATED", None],
        "revisions": [2, None],
        "contentRevisions": [1, None],
        "errors": [{"item": 1, "error": {"field": "key"}}],
    }
    vectors = [
        {
            "trackId": made[0]["id"],
            "contentRevision": 1,
            "space": space,
            "values": base64.b64encode(np.eye(5, dtype="<f4")[0, :length].tobytes()).decode(),
        }
        for space, length in ((AUDIO, 4), (TEXT, 3))
    ]  # fmt: skip
    await execute(
        "mutation($i: [VectorInput!]!) { createVectors(input: $i) { " + numbers + " } }", i=vectors
    )
    status = await progress.read(pool)
    assert (status.tracks, status.analyzed, status.vectorized) == (2, 1, 1)
    assert {type(event) for event in published} == {ScanRequested}


async def test_replayed_failures_are_published_unchanged_and_resolved(
    execute: Execute, pool: asyncpg.Pool, store_tracks: StoreTracks, published: list[Event]
) -> None:
    made = await store_tracks("a.mp3", "b.mp3")
    await store_failures(pool, [letter(extracted(one), Stage.ANALYZE) for one in made])
    replay = (
        "mutation($f: FailureFilter) { replayFailures(filter: $f)"
        " { replayed failures { path stage kind resolvedAt } } }"
    )
    one = await execute(replay, f={"trackId": track_of(made[0])})
    rest = await execute(replay)
    assert one["replayFailures"]["failures"][0]["path"] == "a.mp3"
    assert (one["replayFailures"]["replayed"], rest["replayFailures"]["replayed"]) == (1, 1)
    assert (await progress.read(pool)).failed == 0
    while len(published) < 2:
        await pool.fetchval("SELECT pg_sleep(0.01)")
    assert set(published) == {extracted(one) for one in made}


async def test_a_failure_that_a_worker_reports_is_stored_with_its_record(
    execute: Execute, pool: asyncpg.Pool, library_id: UUID
) -> None:
    event = FileFound(
        library_id=format_id(IdKind.LIBRARY, library_id), scan_id="scn_" + "0" * 32, path="x.mp3",
        size_bytes=1, mtime_ns=2,
    )  # fmt: skip
    record = encode(event, source="test", time=datetime.now(UTC))
    item = {
        "stage": Stage.READ, "kind": "INVALID", "message": "broken", "topic": record.topic,
        "keyBase64": base64.b64encode(record.key).decode(),
        "valueBase64": base64.b64encode(record.value).decode(),
    }  # fmt: skip
    answer = await execute(
        "mutation($i: [FailureInput!]!) { createFailures(input: $i) { results { id status } } }",
        i=[item],
    )
    assert answer["createFailures"]["results"][0]["status"] == "CREATED"
    assert await pool.fetchval("SELECT state FROM files WHERE path = 'x.mp3'") == "unreadable"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{ requestScan(input: {root: "music"}) { error { code message } } }', "absolute path"),
        ('{ requestScan(input: {library: "no"}) { error { code message } } }', "NOT_FOUND"),
        ("{ requestScan(input: {}) { error { code message } } }", "name a library"),
        (
            '{ beginScan(input: {scanId: "scn_00000000000000000000000000000000"})'
            " { error { code message } } }",
            "no such scan",
        ),
        ('{ beginScan(input: {scanId: "trk_x"}) { error { code field } } }', "scanId"),
    ],
)
async def test_a_request_that_fails_says_why(execute: Execute, document: str, message: str) -> None:
    assert message in str(await execute("mutation " + document))


async def test_too_many_items_are_refused_with_the_limit(execute: Execute) -> None:
    items = [{"name": "x"}] * (MOST_ITEMS + 1)
    with pytest.raises(Exception, match="at most 2,000"):
        await execute(
            "mutation($i: [ArtistInput!]!) { createArtists(input: $i) { results { id } } }", i=items
        )
