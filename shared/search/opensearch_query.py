"""Queries as requests to OpenSearch, and its responses as hits. Pure."""

from collections.abc import Sequence
from typing import Any, Literal

from shared.search import ranking
from shared.search.fields import NAMES, whole
from shared.search.port import TEMPO_RANGE_BPM, Hit, SearchFilters, SearchHits, SearchQuery

NOTHING = SearchHits((), 0, {})
ALIVE: dict[str, Any] = {"term": {"alive": True}}
_MOST_HITS = 10_000
_MOST_CLAUSES = 1_000  # OpenSearch refuses a query of more than 1,024
_MAX_EXPANSIONS = 100
# Lucene leaves the constant factor (k1 + 1) out of BM25, Tantivy does not.
_BM25 = ranking.BM25 * 2.2

_AGGREGATIONS: dict[str, Any] = {
    **{name: {"terms": {"field": f"{name}_facet", "size": ranking.FACET_VALUES}} for name in NAMES},
    "year": {"terms": {"field": "year", "size": ranking.FACET_VALUES}},
    "tempo_bpm": {
        "histogram": {"field": "tempo_bpm", "interval": TEMPO_RANGE_BPM, "min_doc_count": 1}
    },
}


def requests(query: SearchQuery) -> list[dict[str, Any]]:
    """Return a request for all words, and one for any of them, should no track have them all.

    There is no request for a query without words.
    """
    wanted = ranking.wanted(query.text)
    last = len(wanted) - 1
    most = _max_expansions(len(wanted))
    each = [_word(word, most, is_last=number == last) for number, word in enumerate(wanted)]
    kinds: tuple[Literal["must", "should"], ...] = ("must", "should") if wanted else ()
    return [_request({"bool": {kind: each}}, query) for kind in kinds]


def answer(response: dict[str, Any]) -> SearchHits:
    """Return the hits of a response."""
    found = response["hits"]
    hits = [Hit(hit["_id"], float(hit["_score"])) for hit in found["hits"]]
    return SearchHits(hits, int(found["total"]["value"]), _facets(response["aggregations"]))


def _request(words: dict[str, Any], query: SearchQuery) -> dict[str, Any]:
    return {
        "query": {"bool": {"must": words, "filter": _filters(query.filters)}},
        "size": min(query.first, _MOST_HITS),
        "sort": [{"_score": "desc"}, {"order": "asc"}],
        "track_total_hits": True,
        "_source": False,
        "aggs": _AGGREGATIONS,
    }


def _max_expansions(words: int) -> int:
    """Return how many similar words a word may expand to in a field; the most similar are taken.

    (There is no limit with another `rewrite`, but then OpenSearch builds the automaton, 2 ms, for
    each segment again.)
    """
    fields = len(ranking.WEIGHTS)
    others = fields * (2 * words + 1)
    return min(_MAX_EXPANSIONS, (_MOST_CLAUSES - others) // (fields * max(1, words)))


def _word(word: str, most: int, *, is_last: bool) -> dict[str, Any]:
    """Return the query for one word, in the field that it matches best."""
    typos = ranking.typos(word)
    ways: list[dict[str, Any]] = []
    for field, weight in ranking.WEIGHTS.items():
        exact = {"term": {field: word}}
        ways.append({"constant_score": {"filter": exact, "boost": weight * ranking.EXACT}})
        ways.append({"term": {field: {"value": word, "boost": weight * _BM25}}})
        if is_last:
            ways.append({"prefix": {field: {"value": word, "boost": weight * ranking.PREFIX}}})
        if typos:
            near = {"fuzzy": {field: {"value": word, "fuzziness": typos, "max_expansions": most}}}
            ways.append({"constant_score": {"filter": near, "boost": weight * ranking.FUZZY}})
    return {"dis_max": {"queries": ways, "tie_breaker": ranking.OTHER_FIELDS}}


def _filters(filters: SearchFilters) -> list[dict[str, Any]]:
    found = [ALIVE]
    for name in NAMES:
        value = getattr(filters, name)
        if value is not None:
            found.append({"term": {f"{name}_whole": whole(value)}})
    ranges = (
        ("year", filters.year_min, filters.year_max),
        ("tempo_bpm", filters.tempo_min_bpm, filters.tempo_max_bpm),
    )
    for field, lower, upper in ranges:
        ends = {"gte": lower, "lte": upper}
        bounds = {end: value for end, value in ends.items() if value is not None}
        if bounds:
            found.append({"range": {field: bounds}})
    return found


def _facets(aggregated: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {name: _counts(aggregated[name]["buckets"]) for name in _AGGREGATIONS}


def _counts(buckets: Sequence[dict[str, Any]]) -> dict[str, int]:
    most_first = sorted(buckets, key=lambda each: (-int(each["doc_count"]), each["key"]))
    return {_name(each["key"]): int(each["doc_count"]) for each in most_first}


def _name(key: object) -> str:
    return str(int(key)) if isinstance(key, float) else str(key)
