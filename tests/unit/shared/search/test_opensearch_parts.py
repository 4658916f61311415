"""Requests to OpenSearch and the meaning of its errors, without a server."""

import json

import pytest

from shared.contracts.errors import DependencyDown, TransientError
from shared.search.fields import fields
from shared.search.opensearch_mapping import body, lines
from shared.search.opensearch_query import requests
from shared.search.opensearch_server import IndexMissing, OpenSearchServer, Overloaded
from shared.search.port import Deletion, SearchDocument, SearchQuery
from shared.search.tantivy_schema import to_tantivy

FULL = SearchDocument(
    "trk_1", 7, "Jóga", ["Björk"], album="Homogenic", album_artist="Björk", genres=["Pop"],
    year=1997, key="A minor", tempo_bpm=87.0, path="Björk/02 Jóga.flac", chapters=["Intro"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind", "error", "message"),
    [
        (404, "index_not_found_exception", IndexMissing, ""),
        (429, "rejected_execution_exception", Overloaded, "is overloaded"),
        (429, "cluster_block_exception", DependencyDown, "Free space on its disk"),
        (403, "cluster_block_exception", DependencyDown, "takes writes again in a moment"),
        (401, "security_exception", DependencyDown, "SONIQUEBAY_OPENSEARCH_PASSWORD"),
        (403, "security_exception", DependencyDown, "SONIQUEBAY_OPENSEARCH_USER"),
        (503, "no_shard_available_action_exception", DependencyDown, "/_cluster/health"),
        (500, "illegal_state_exception", TransientError, "illegal_state_exception: why"),
    ],
)
def test_a_response_becomes_the_error_with_the_right_reaction(
    status: int, kind: str, error: type[Exception], message: str
) -> None:
    named = OpenSearchServer("http://search:9200").error_for(status, kind, "why")
    assert type(named) is error
    assert message in str(named)


def test_every_field_of_a_document_is_known_to_both_engines() -> None:
    made = fields(FULL)
    assert set(made) == set(body()["mappings"]["properties"])
    to_tantivy(FULL)  # raises if the schema lacks a field


def test_a_deletion_is_a_document_with_a_version_and_no_searchable_text() -> None:
    action, source = map(json.loads, lines(Deletion("trk_1", 9)).splitlines())
    assert action["index"] == {"_id": "trk_1", "version": 9, "version_type": "external_gte"}
    assert source == {"alive": False}


@pytest.mark.parametrize("text", ["a", "one two", "word " * 24, "word " * 9_000, "x" * 9_000, "!"])
def test_no_query_has_more_clauses_than_opensearch_allows(text: str) -> None:
    for request in requests(SearchQuery(text)):
        (words,) = request["query"]["bool"]["must"]["bool"].values()
        queries = [query for word in words for query in word["dis_max"]["queries"]]
        fuzzy = [
            query["constant_score"]["filter"]["fuzzy"]
            for query in queries
            if "fuzzy" in query.get("constant_score", {}).get("filter", {})
        ]
        expansions = sum(next(iter(each.values()))["max_expansions"] for each in fuzzy)
        assert len(queries) - len(fuzzy) + expansions <= 1_000
        assert all(next(iter(each.values()))["max_expansions"] > 0 for each in fuzzy)
