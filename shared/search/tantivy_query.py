"""Queries as Tantivy takes them, and its results as hits."""

from collections.abc import Sequence
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

from shared.search import ranking
from shared.search.fields import NAMES, whole
from shared.search.port import TEMPO_RANGE_BPM, Hit, SearchFilters, SearchHits, SearchQuery
from shared.search.tantivy_folder import damage_named
from shared.search.tantivy_schema import SCHEMA

# Tantivy does not sort hits of equal score by path. So more hits are fetched, and sorted here.
_TIES = 200

_AGGREGATIONS: dict[str, Any] = {
    **{name: {"terms": {"field": f"{name}_facet", "size": ranking.FACET_VALUES}} for name in NAMES},
    "year": {"terms": {"field": "year", "size": ranking.FACET_VALUES}},
    "tempo_bpm": {
        "histogram": {"field": "tempo_bpm", "interval": TEMPO_RANGE_BPM, "min_doc_count": 1}
    },
}


def answer(index: tantivy.Index, query: SearchQuery) -> SearchHits:
    """Search for all words or, if no track has them all, for any of them.

    Raises:
        Damaged: the index cannot be read.
        DependencyDown: the folder cannot be read.
    """
    wanted = ranking.wanted(query.text)
    if not wanted:
        return SearchHits((), 0, {})
    searches = [_query(wanted, occur, query.filters) for occur in (Occur.Must, Occur.Should)]
    with damage_named():
        return _found(index, searches, query.first)


def _found(index: tantivy.Index, searches: Sequence[Query], first: int) -> SearchHits:
    """Return the hits of the first query that has any."""
    index.reload()
    searcher = index.searcher()
    for query in searches:
        found = searcher.search(query, limit=first + _TIES, count=True)
        total = int(found.count or 0)  # type: ignore[attr-defined] # missing in its stubs
        if total:
            break
    else:
        return SearchHits((), 0, {})
    facets = _facets(searcher.aggregate(query, _AGGREGATIONS))
    return SearchHits(_first(searcher, found.hits, first), total, facets)


def _first(
    searcher: tantivy.Searcher, hits: Sequence[tuple[float, tantivy.DocAddress]], first: int
) -> list[Hit]:
    """Return the best hits, those of equal score sorted by path."""
    if not first:
        return []
    least = hits[min(first, len(hits)) - 1][0]
    loaded = [(score, searcher.doc(at)) for score, at in hits if score >= least]
    loaded.sort(key=lambda each: (-each[0], each[1]["order"][0]))
    return [Hit(str(document["id"][0]), float(score)) for score, document in loaded[:first]]


def _query(wanted: list[str], occur: Occur, filters: SearchFilters) -> Query:
    last = len(wanted) - 1
    each = [(occur, _word(word, is_last=number == last)) for number, word in enumerate(wanted)]
    parts = [(Occur.Must, Query.boolean_query(each))]
    parts += [(Occur.Must, Query.const_score_query(one, 0.0)) for one in _filters(filters)]
    return Query.boolean_query(parts)


def _word(word: str, *, is_last: bool) -> Query:
    """Return the query for one word, in the field that it matches best."""
    typos = ranking.typos(word)
    ways: list[Query] = []
    for field, weight in ranking.WEIGHTS.items():
        exact = Query.term_query(SCHEMA, field, word)
        ways.append(Query.const_score_query(exact, weight * ranking.EXACT))
        ways.append(Query.boost_query(exact, weight * ranking.BM25))
        if is_last:
            begun = Query.fuzzy_term_query(SCHEMA, field, word, distance=0, prefix=True)
            ways.append(Query.const_score_query(begun, weight * ranking.PREFIX))
        if typos:
            near = Query.fuzzy_term_query(SCHEMA, field, word, distance=typos)
            ways.append(Query.const_score_query(near, weight * ranking.FUZZY))
    return Query.disjunction_max_query(ways, tie_breaker=ranking.OTHER_FIELDS)


def _filters(filters: SearchFilters) -> list[Query]:
    found = [Query.term_query(SCHEMA, "alive", 1)]
    for name in NAMES:
        value = getattr(filters, name)
        if value is not None:
            found.append(Query.term_query(SCHEMA, f"{name}_whole", whole(value)))
    ranges = (
        ("year", FieldType.Integer, filters.year_min, filters.year_max),
        ("tempo_bpm", FieldType.Float, filters.tempo_min_bpm, filters.tempo_max_bpm),
    )
    for field, kind, lower, upper in ranges:
        if lower is not None or upper is not None:
            found.append(Query.range_query(SCHEMA, field, kind, lower, upper))
    return found


def _facets(aggregated: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        name: {
            _name(bucket["key"]): int(bucket["doc_count"])
            for bucket in sorted(buckets["buckets"], key=_most_first)
        }
        for name, buckets in aggregated.items()
    }


def _most_first(bucket: dict[str, Any]) -> tuple[int, Any]:
    return -int(bucket["doc_count"]), bucket["key"]


def _name(key: object) -> str:
    return str(int(key)) if isinstance(key, float) else str(key)
