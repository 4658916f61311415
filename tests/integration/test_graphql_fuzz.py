"""Documents and bodies of every shape: none is answered with an internal error, or costs too much.

The work of a request is counted, not timed: the calls of functions, Python's and C's. Some five
million are a second of a slow core.
"""

import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from types import FrameType
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_asyncio import fixture

from services.api.graphql.schema import TEXT
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import dropped_space_indexes, fill
from tests.integration.gateways import api_of

__all__ = ["dropped_space_indexes"]

MOST_CALLS = 5_000_000
SCHEMA: GraphQLSchema = build_schema(TEXT.read_text())
FRAGMENTS = 6
T = TypeVar("T")
fuzzed = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes here
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large
    ],
)  # fmt: skip


@fixture
async def inside(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway with tracks, in this process and without a socket."""
    await fill(pool, library_id, 60)
    api = api_of(database_settings)
    transport = httpx.ASGITransport(api.app)
    async with (
        api.service.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


async def counted(run: Callable[[], Awaitable[T]]) -> tuple[T, int]:
    """The result, and how many functions were called meanwhile."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return await run(), calls
    finally:
        sys.setprofile(before)


async def check(client: httpx.AsyncClient, content: bytes, headers: dict[str, str]) -> None:
    """Send a body, and check the answer and the work."""
    answer, calls = await counted(lambda: client.post("/graphql", content=content, headers=headers))
    assert answer.status_code in {200, 400, 413}
    body = answer.json()
    assert body.keys() <= {"data", "errors"}
    for error in body.get("errors", []):
        assert error["extensions"]["code"] in {"BAD_INPUT", "PERSISTED_QUERY_NOT_SUPPORTED"}, error
    assert calls < MOST_CALLS


TEXTS = [
    '"a"', '""', '"\\u0000"', '"é\\n"', '"trk_' + "0" * 32 + '"', '"lib_1"', '"C#"', '"relaxed"',
]  # fmt: skip
SCALARS = {
    "Int": ["1", "50", "500", "501", "-1", "2147483647"],
    "BigInt": ["1", "9223372036854775807", "-1"],
    "Float": ["0", "1.5", "-1e300"],
    "Boolean": ["true", "false"],
}
WRONG = ["1", '"a"', "99999999999", "null", "TITLE", "$v", "$w", "{}", "[]", "[[1]]", "{a: 1}"]
ODD = [
    "nothing",
    "@unknown",
    "...F9",
    "__schema { types { name } }",
    "a: b { c }",
    "... on Nothing { a }",
]


@st.composite
def literal(draw: st.DrawFn, kind: Any, depth: int = 3) -> str:
    """A literal of a type."""
    if isinstance(kind, GraphQLNonNull):
        return draw(literal(kind.of_type, depth))
    if isinstance(kind, GraphQLList):
        items = draw(st.lists(literal(kind.of_type, depth), max_size=3))
        return f"[{', '.join(items)}]"
    if isinstance(kind, GraphQLEnumType):
        text: str = draw(st.sampled_from(sorted(kind.values)))
        return text
    if isinstance(kind, GraphQLInputObjectType):
        names = draw(st.lists(st.sampled_from(sorted(kind.fields)), max_size=2, unique=True))
        needed = [name for name, each in kind.fields.items() if is_required_input_field(each)]
        pairs = (f"{name}: {draw(literal(kind.fields[name].type, depth - 1))}" for name in names)
        return "{" + ", ".join(pairs) + "}" if depth and not needed else "{}"
    return draw(st.sampled_from(SCALARS.get(kind.name, TEXTS)))


@st.composite
def selections(draw: st.DrawFn, kind: Any, depth: int, wrong: bool) -> str:
    """A selection set of a type; if `wrong`, with what clients get wrong in between."""
    shown = ["__typename"]
    fields = getattr(kind, "fields", {})
    names = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=3, unique=True)
    for name in draw(names) if fields else []:
        shown.append(draw(field(name, fields[name], depth, wrong)))
        if wrong and draw(st.integers(0, 3)) == 0:
            shown[-1] *= draw(st.sampled_from([2, 30]))
            shown.append(draw(st.sampled_from(ODD)))
    if draw(st.integers(0, 5)) == 0:
        number = draw(st.integers(0, FRAGMENTS - 1))
        shown.append(
            f"...F{kind.name}{number} " * draw(st.sampled_from([1, 2, 40] if wrong else [1, 2]))
        )
    if depth and draw(st.integers(0, 5)) == 0:
        shown.append("... { " + draw(selections(kind, depth - 1, wrong)) + " }")
    return " ".join(shown)


@st.composite
def field(draw: st.DrawFn, name: str, definition: GraphQLField, depth: int, wrong: bool) -> str:
    """A field with arguments, a directive and what is below it."""
    text = draw(st.sampled_from(["", "", "", f"a_{name}: {name} "])) or name
    arguments = []
    for argument, each in definition.args.items():
        if is_required_argument(each) or draw(st.booleans()):
            is_wrong = wrong and draw(st.booleans())
            value = draw(st.sampled_from(WRONG) if is_wrong else literal(each.type))
            arguments.append(f"{argument}: {value}")
    text += f"({', '.join(arguments)})" if arguments else ""
    text += draw(st.sampled_from(["", "", "", " @skip(if: true)", " @include(if: true)"]))
    inner = get_named_type(definition.type)
    if is_composite_type(inner):
        below = selections(inner, depth - 1, wrong) if depth else st.just("__typename")
        text += " { " + draw(below) + " }"
    return text + " "


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document by GraphQL's grammar, half of them valid but for conflicts, and some cut off."""
    wrong, query = draw(st.booleans()), SCHEMA.query_type
    assert query is not None
    operations = ["query A ", "query A($v: Int, $w: [ID!]) "] if wrong else [""]
    text = (
        draw(st.sampled_from(operations))
        + "{ "
        + draw(selections(query, draw(st.integers(1, 5)), wrong))
        + " } "
    )
    # Fragments that are spread are defined, each spreading the next one twice.
    for spread in sorted(set(re.findall(r"\.\.\.F([A-Za-z]+)\d", text))):
        kind = SCHEMA.type_map[spread]
        for number in range(FRAGMENTS):
            inner = draw(selections(kind, 1, wrong)) if number == FRAGMENTS - 1 else ""
            inner = re.sub(r"\.\.\.F\w+", "", inner) or f"...F{spread}{number + 1} " * 2
            text += f"fragment F{spread}{number} on {spread} {{ {inner} }} "
    text *= draw(st.sampled_from([1, 1, 1, 2, 50])) if wrong else 1
    return text[: draw(st.integers(1, len(text)))] if draw(st.integers(0, 19)) == 0 else text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
LONG_VALUES = st.tuples(VALUES, st.sampled_from([1, 10, 3_000, 200_000])).map(
    lambda pair: [pair[0]] * pair[1] if pair[1] > 1 else pair[0]
)
QUERIES = st.sampled_from(
    [
        "query($v: Int, $w: [ID!]) { tracks(first: $v) { totalCount } }",
        "query($w: [ID!]!) { tracksById(ids: $w) { id title } }",
        "query($v: TrackFilter) { tracks(filter: $v) { edges { node { id } } } }",
        "query($v: String) { tracks(after: $v) { edges { node { id } } } }",
        'query($v: SearchFilter) { search(text: "a", filter: $v) { totalCount } }',
        "mutation($v: [TrackCorrectionInput!]!) { correctTracks(input: $v) { results { id } } }",
        "mutation($v: [AlbumInput!]!) { createAlbums(input: $v) { columns { ids } } }",
    ]
)

REPEATED = st.tuples(
    st.sampled_from([b"[", b'{"a":', b'"', b"\xff", b"0", b" "]), st.integers(1, 200_000)
).map(lambda pair: pair[0] * pair[1])


@fuzzed
@given(document=documents(), variables=st.dictionaries(st.sampled_from("vw"), VALUES))
async def test_a_document_of_any_shape_is_answered_in_bounded_work(
    inside: httpx.AsyncClient, document: str, variables: dict[str, object]
) -> None:
    content = json.dumps({"query": document, "variables": variables}).encode(errors="replace")
    await check(inside, content, {"content-type": "application/json"})


@fuzzed
@given(
    body=st.fixed_dictionaries(
        {},
        optional={
            "query": QUERIES | VALUES,
            "variables": st.dictionaries(st.sampled_from("vw"), LONG_VALUES) | LONG_VALUES,
            "operationName": st.none() | VALUES,
            "extensions": VALUES,
        },
    ) | LONG_VALUES,
    accept=st.sampled_from(["", "*/*", "application/graphql-response+json", "text/html;q=x"]),
)  # fmt: skip
async def test_a_body_of_any_shape_is_answered_in_bounded_work(
    inside: httpx.AsyncClient, body: object, accept: str
) -> None:
    content = json.dumps(body).encode(errors="replace")
    await check(inside, content, {"content-type": "application/json", "accept": accept})


@fuzzed
@given(
    content=st.binary(max_size=200) | REPEATED,
    content_type=st.sampled_from(["application/json", "application/json;charset=x", "a/b", ";"]),
)
async def test_bytes_of_any_kind_are_answered_in_bounded_work(
    inside: httpx.AsyncClient, content: bytes, content_type: str
) -> None:
    await check(inside, content, {"content-type": content_type})
