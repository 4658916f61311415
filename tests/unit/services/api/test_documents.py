"""The cache of documents, and the count of variables."""

from typing import Any

import pytest
from graphql import GraphQLError, parse

from services.api.graphql.documents import (
    MOST_LISTED,
    MOST_VALUES,
    DocumentCache,
    check_variables,
)

SMALL = "{ status { tracks } }"


def test_a_document_is_kept_by_its_text() -> None:
    cache, document = DocumentCache(), parse(SMALL)
    assert cache.get(SMALL) is None
    cache.keep(SMALL, document)
    cache.keep(SMALL, parse(SMALL))
    assert cache.get(SMALL) is document
    assert cache.get(SMALL + " ") is None


def test_the_cache_is_limited_by_memory_and_drops_what_was_not_used_for_longest() -> None:
    texts = [f"{{ a{n} " + "status " * 400 + "}" for n in range(20)]
    one = DocumentCache()
    one.keep(texts[0], parse(texts[0]))
    cache = DocumentCache(most_bytes=one.bytes * 4)
    for text in texts:
        cache.keep(text, parse(text))
        cache.get(texts[0])
        assert cache.bytes <= one.bytes * 4
    kept = [text for text in texts if cache.get(text)]
    assert kept == [texts[0], *texts[-2:]] or kept == [texts[0], *texts[-3:]]


def test_a_document_that_is_larger_than_the_cache_is_not_kept() -> None:
    text = '{ a(b: "' + "x" * 50_000 + '") }'
    cache = DocumentCache(most_bytes=100_000)
    cache.keep(text, parse(text))
    assert (cache.get(text), cache.bytes) == (None, 0)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"ids": ["trk_1"] * 1_000, "first": 3},
        {"input": [{"a": [1, 2]}] * 2_000},
        {"deep": [[[[[[]]]]]]},
    ],
)
def test_variables_of_any_shape_are_accepted_up_to_the_limits(variables: dict[str, Any]) -> None:
    check_variables(variables, MOST_VALUES)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ids": ["trk_1"] * 1_000_000}, "$ids: 1,000,000 items are too many"),
        ({"filter": {"ids": [1] * (MOST_LISTED + 1)}}, "$filter: 10,001 items are too many"),
        ({"input": [{}] * 2_001}, "$input: 2,001 items are too many: send at most 2,000 a call"),
        ({"input": [{"a": [1] * 100}] * 1_000}, "$input: a request has at most 100,000 values"),
        ({"a": [[1] * 10_000] * 11}, "$a: a request has at most 100,000 values"),
        ({f"v{n}": [0] * 10_000 for n in range(11)}, "$v10: a request"),
    ],
)
def test_too_many_values_are_refused_by_the_name_of_their_variable(
    variables: dict[str, Any], message: str
) -> None:
    with pytest.raises(GraphQLError) as refusal:
        check_variables(variables, MOST_VALUES)
    assert refusal.value.message.startswith(message)
    assert refusal.value.extensions == {"code": "BAD_INPUT"}
