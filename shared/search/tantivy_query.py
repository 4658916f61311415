"""How a search becomes a Tantivy query, and its result an answer."""

from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

from shared.search.port import TEMPO_RANGE_BPM, Hit, SearchFilters, SearchHits, SearchQuery
from shared.search.tantivy_schema import SCHEMA, WEIGHTS, analyzer, folded

_MOST_WORDS = 24
_FACET_VALUES = 20
# What a way to match is worth: the word itself, its beginning, a word one typo or two away.
_EXACT, _PREFIX, _FUZZY = 1.0, 0.5, 0.2
_ONE_TYPO_FROM, _TWO_TYPOS_FROM = 4, 8

_AGGREGATIONS: dict[str, Any] = {
    **{
        name: {"terms": {"field": f"{name}_facet", "size": _FACET_VALUES}}
        for name in ("artist", "album", "genre", "key")
    },
    "year": {"terms": {"field": "year", "size": _FACET_VALUES}},
    "tempo_bpm": {
        "histogram": {"field": "tempo_bpm", "interval": TEMPO_RANGE_BPM, "min_doc_count": 1}
    },
}


def answer(index: tantivy.Index, query: SearchQuery) -> SearchHits:
    """Search for all words; where no track has them all, for any of them."""
    words = analyzer().analyze(query.text)[:_MOST_WORDS]
    if not words:
        return SearchHits((), 0, {})
    searcher = index.searcher()
    for occur in (Occur.Must, Occur.Should):
        looked_for = _query(words, occur, query.filters)
        found = searcher.search(looked_for, limit=max(1, query.first), count=True)
        total = int(found.count or 0)  # type: ignore[attr-defined] # missing in its stubs
        if total:
            break
    hits = [Hit(str(searcher.doc(at)["id"][0]), float(score)) for score, at in found.hits]
    facets = _facets(searcher.aggregate(looked_for, _AGGREGATIONS)) if total else {}
    return SearchHits(hits[: query.first], total, facets)


def _query(words: list[str], occur: Occur, filters: SearchFilters) -> Query:
    wanted = [
        (occur, _word(word, is_last=number == len(words) - 1)) for number, word in enumerate(words)
    ]
    parts = [(Occur.Must, Query.boolean_query(wanted))]
    parts += [(Occur.Must, Query.const_score_query(each, 0.0)) for each in _filters(filters)]
    return Query.boolean_query(parts)


def _word(word: str, *, is_last: bool) -> Query:
    """One word in whichever field it fits best; a title's match beats an album's."""
    ways: list[Query] = []
    for field, weight in WEIGHTS.items():
        exact = Query.term_query(SCHEMA, field, word)
        ways.append(Query.boost_query(exact, weight * _EXACT))
        if is_last:
            begun = Query.fuzzy_term_query(SCHEMA, field, word, distance=0, prefix=True)
            ways.append(Query.boost_query(begun, weight * _PREFIX))
        typos = (len(word) >= _ONE_TYPO_FROM) + (len(word) >= _TWO_TYPOS_FROM)
        if typos:
            near = Query.fuzzy_term_query(SCHEMA, field, word, distance=typos)
            ways.append(Query.boost_query(near, weight * _FUZZY))
    return Query.disjunction_max_query(ways, tie_breaker=0.1)


def _filters(filters: SearchFilters) -> list[Query]:
    found = [Query.term_query(SCHEMA, "alive", 1)]
    for name in ("artist", "album", "genre", "key"):
        value = getattr(filters, name)
        if value is not None:
            found.append(Query.term_query(SCHEMA, f"{name}_exact", folded(value)))
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
            for bucket in sorted(buckets["buckets"], key=lambda each: -int(each["doc_count"]))
        }
        for name, buckets in aggregated.items()
    }


def _name(key: object) -> str:
    return str(int(key)) if isinstance(key, float) else str(key)
