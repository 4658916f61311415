"""The two ways to search: by words, in the index; by meaning, among the text vectors."""

from dataclasses import replace

from strawberry import Info

from services.api.graphql.errors import bad_input
from services.api.graphql.people.filters import SearchFilter
from services.api.graphql.types.library import Track
from services.api.graphql.types.search import Facet, FacetCount, SearchHit, SearchResult
from services.api.store import genres
from services.api.store.reading import nearest
from services.api.store.vectors.spaces import Space
from shared.contracts.identity import parse_id
from shared.embedding.port import embed_in_one_space
from shared.search.port import FACETS, SearchQuery

_MOST_CHARACTERS = 1_000


async def search_text(info: Info, text: str, first: int, filters: SearchFilter) -> SearchResult:
    """Search the index by words; with facets."""
    conditions = filters.read()
    if conditions.genre:  # the index has the names of genres only, not other spellings
        name = await genres.name_of(info.context.pool, conditions.genre)
        conditions = replace(conditions, genre=name)
    query = SearchQuery(text[:_MOST_CHARACTERS], first, conditions)
    found = await info.context.search.search(query)
    keys = [parse_id(hit.track_id)[1] for hit in found.hits]
    rows = await info.context.loaders.tracks.load_many(keys)
    hits = [
        SearchHit(score=hit.score, track=Track.of(row))
        for hit, row in zip(found.hits, rows, strict=True)
        if row and not row["is_missing"]  # the index is updated a moment later
    ]
    return SearchResult(
        hits=hits,
        total_count=found.total,
        facets=[
            Facet(
                name=name,
                counts=[FacetCount(value=v, count=n) for v, n in found.facets[name].items()],
            )
            for name in FACETS
            if name in found.facets
        ],
    )


async def search_meaning(info: Info, text: str, first: int, filters: SearchFilter) -> SearchResult:
    """Find the tracks whose text vectors are nearest to that of the text."""
    if filters != SearchFilter():
        raise bad_input("filter: a search by meaning takes no filter; use mode TEXT")
    if not text.strip():
        return SearchResult(hits=[], total_count=0, facets=[])
    described, vectors = await embed_in_one_space(info.context.embedder, [text[:_MOST_CHARACTERS]])
    space = Space("text", described.model, described.version, described.dimensions)
    near = await nearest.of_vector(info.context.pool, space, vectors[0], first)
    rows = await info.context.loaders.tracks.load_many([each.track_id for each in near])
    hits = [
        SearchHit(score=each.score, track=Track.of(row))
        for each, row in zip(near, rows, strict=True)
        if row
    ]
    return SearchResult(hits=hits, total_count=len(hits), facets=[])
