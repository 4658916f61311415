"""GraphQL over HTTP on a real socket: what is answered, and what is refused how."""

import gzip
import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from graphql import get_introspection_query
from pydantic import SecretStr
from pytest_asyncio import fixture

from services.api.graphql_http import GRAPHQL_RESPONSE, JSON, MOST_BYTES, MOST_BYTES_TO_STORE
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import dropped_space_indexes, fill
from tests.integration.gateways import STATUS, STORE, running_gateway

__all__ = ["dropped_space_indexes"]

BY_ID = "query($i: [ID!]!) { tracksById(ids: $i) { id } }"
TWO = "query A { status { tracks } } query B { status { pending } }"
DEEP = "[" * 100_000
NEW = {"accept": GRAPHQL_RESPONSE}


@fixture
async def client(pool: asyncpg.Pool, database_settings: Settings) -> Any:
    async with running_gateway(database_settings) as running:
        running.timeout = 120  # a busy machine takes its time for large answers
        yield running


async def refused(client: httpx.AsyncClient, status: int, **request: Any) -> dict[str, Any]:
    """Send a request that must be refused with one error; return it."""
    answer = await client.post("/graphql", **request)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["errors"]  # no `data`
    (error,) = body["errors"]
    return dict(error)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"query": "{ status {"}, "Syntax Error"),
        ({"query": "{ stat }"}, "Cannot query field 'stat'"),
        ({"query": "{ ...Trak }"}, "Unknown fragment 'Trak'"),
        ({"query": "query($i: ID!) { node(id: $i) { id } }"}, "$i"),
        ({"query": BY_ID, "variables": {"i": ["a"] * 20_000}}, "$i: 20,000 items are too many"),
        ({"query": TWO}, "operationName: the document has several operations: name one of A, B"),
        ({"query": TWO, "operationName": "C"}, "operationName: Unknown operation named \"C\"."),
        ({"query": f"mutation A {STORE[8:]} query B {STATUS}"}, "name one of A, B"),
        ({"query": "subscription { scanProgress { isIdle } }"}, "a subscription needs a websocket"),
        ({"query": "{ status { tracks } } query B { status { tracks } }"}, "anonymous operation"),
        ({"query": "fragment F on Query { status { tracks } }"}, "operation"),
        ({"query": "{ status { " + "tracks " * 3_000 + "} }"}, "tokens"),
        ({"query": "{ status { tracks } } # " + "x" * 100_000}, "query: 100,024 characters"),
        ({"query": "{ a" + "(b: [" * 1_000 + "]) " * 1_000 + "}"}, ""),
        ({"query": "{" + "... {" * 700 + "a" + "}" * 701}, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_RESPONSE, 400)])
async def test_a_request_error_has_no_data_and_a_status_by_media_type(
    client: httpx.AsyncClient, parameters: Any, message: str, accept: str, status: int
) -> None:
    error = await refused(client, status, json=parameters, headers={"accept": accept})
    assert message in error["message"]
    assert error["extensions"]["code"] == "BAD_INPUT"


async def test_one_of_several_operations_is_executed_by_its_name(client: httpx.AsyncClient) -> None:
    for name, field in (("A", "tracks"), ("B", "pending")):
        answer = await client.post("/graphql", json={"query": TWO, "operationName": name})
        assert answer.json() == {"data": {"status": {field: 0}}}
    again = await client.post("/graphql", json={"query": TWO})  # the document is known by now
    assert "data" not in again.json()


async def test_a_field_error_keeps_the_data(client: httpx.AsyncClient) -> None:
    query = '{ status { tracks } node(id: "x") { id } }'
    answer = await client.post("/graphql", json={"query": query}, headers=NEW)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{GRAPHQL_RESPONSE}; charset=utf-8"
    assert answer.json()["data"] == {"status": {"tracks": 0}, "node": None}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("null", "Expected `object`, got `null`"),
        ("1", "Expected `object`"),
        ('"{ status { tracks } }"', "Expected `object`"),
        ("[]", "send one operation a request"),
        ('[{"query": "{ __typename }"}]', "send one operation a request"),
        ("{}", "query: send the text of the operation"),
        ('{"query": null}', "query: send the text"),
        ('{"query": ""}', "query: send the text"),
        ('{"query": {}}', "$.query"),
        ('{"query": "{ __typename }", "variables": "{}"}', "$.variables"),
        ('{"query": "{ __typename }", "variables": []}', "$.variables"),
        ('{"query": "{ __typename }", "operationName": 1}', "$.operationName"),
        ('{"query": "{ __typename }", "extensions": []}', "$.extensions"),
        (DEEP, ""),
        ('{"query": "{ __typename }", "variables": {"a": ' + DEEP, "nested too deeply"),
        (b'{"query": "\xff"}', "not valid JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_body_that_is_no_request_is_a_bad_request_in_json(
    client: httpx.AsyncClient, content: str | bytes, message: str
) -> None:
    headers = {"content-type": "application/json"}
    error = await refused(client, 400, content=content, headers=headers)
    assert message in error["message"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "multipart/form-data", "application/json; charset=utf-16", "application/x"],
)
async def test_only_json_in_utf_8_is_read(client: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    error = await refused(client, 400, content=json.dumps({"query": STATUS}), headers=headers)
    assert "application/json" in error["message"]
    headers = {"content-type": 'Application/JSON; charset="UTF-8"'}
    answer = await client.post("/graphql", content=json.dumps({"query": STATUS}), headers=headers)
    assert answer.json() == {"data": {"status": {"tracks": 0}}}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_operations_come_by_post(client: httpx.AsyncClient, method: str) -> None:
    headers = {"accept": "application/json"}
    answer = await client.request(method, "/graphql", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert "POST" in answer.json()["errors"][0]["message"]


HASH = {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}


async def test_a_persisted_query_is_not_supported_so_that_apollo_sends_the_text(
    client: httpx.AsyncClient,
) -> None:
    wanted = {
        "message": "PersistedQueryNotSupported",
        "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
    }
    assert await refused(client, 200, json={"extensions": HASH}) == wanted
    by_get = await client.get("/graphql", params={"extensions": json.dumps(HASH)})
    assert by_get.json() == {"errors": [wanted]}
    whole = await client.post("/graphql", json={"query": STATUS, "extensions": HASH})
    assert whole.json() == {"data": {"status": {"tracks": 0}}}


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_has_a_limit_that_is_lower_for_those_who_may_not_store(
    client: httpx.AsyncClient, database_settings: Settings, is_announced: bool
) -> None:
    async def in_chunks(size: int) -> Any:
        for _ in range(size // 1_000_000 + 1):
            yield b" " * 1_000_000

    def body(size: int) -> Any:
        return b" " * (size + 1) if is_announced else in_chunks(size)

    headers = {"content-type": "application/json"}
    error = await refused(client, 413, content=body(MOST_BYTES_TO_STORE), headers=headers)
    assert error["message"] == "a request has at most 32,000,000 bytes"
    spaces = b" " * MOST_BYTES + json.dumps({"query": STATUS}).encode()
    answer = await client.post("/graphql", content=spaces, headers=headers)
    assert answer.json() == {"data": {"status": {"tracks": 0}}}
    async with running_gateway(database_settings, service_token=SecretStr("engines")) as guarded:
        error = await refused(guarded, 413, content=body(MOST_BYTES), headers=headers)
        assert error["message"] == "a request has at most 2,000,000 bytes"


async def test_the_values_of_an_answer_have_a_limit_and_the_refusal_says_what_to_ask(
    client: httpx.AsyncClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 500)
    long = "analysis { waveform beatTimesS } vectors { values }"
    fields = {
        "title " + long: False,
        "title analysis { tempoBpm loudnessLufs energy meaning { genre } } vectors { space }": True,
        "title " + " ".join(f"a{n}: analysis {{ chroma: chromaMean }}" for n in range(14)): True,
        " ".join(f"a{n}: analysis {{ waveform }}" for n in range(5)): False,
        "analysis { meaning { tags(first: 1000) { name score } } }": True,  # it has few tags here
    }
    for selected, is_answered in fields.items():
        query = f"{{ tracks(first: 500) {{ edges {{ node {{ {selected} }} }} }} }}"
        answer = (await client.post("/graphql", json={"query": query})).json()
        assert ("errors" not in answer) is is_answered, (selected, answer.get("errors"))
        if not is_answered:
            assert answer["data"] is None
            (error,) = answer["errors"]
            assert error["extensions"]["code"] == "BAD_INPUT"
            assert "350,000 values: ask with a smaller `first`" in error["message"]
    query = f"{{ tracks(first: 100) {{ edges {{ node {{ {long} }} }} }} }}"
    answer = (await client.post("/graphql", json={"query": query})).json()
    assert len(answer["data"]["tracks"]["edges"]) == 100


async def test_only_large_answers_are_compressed_and_only_if_the_client_can_read_them(
    client: httpx.AsyncClient,
) -> None:
    large = get_introspection_query()
    for query, encoding, wanted in (
        (large, "gzip", "gzip"),
        (large, "identity", None),
        (STATUS, "gzip", None),
    ):
        headers = {"accept-encoding": encoding}
        request = client.build_request("POST", "/graphql", json={"query": query}, headers=headers)
        answer = await client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers.get("content-encoding") == wanted
        assert "data" in json.loads(gzip.decompress(raw) if wanted else raw)


async def test_the_page_may_run_no_scripts_but_its_own(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphql", headers={"accept": "text/html"})
    policy = page.headers["content-security-policy"]
    assert page.text.count("<script>") == policy.count("'sha256-") > 0
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
