"""The hot queries: lists, filters, sort orders and batch lookups in a large library.

Each is sent with new values every time, so that no cache answers instead of the database.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.large_library import WITH_VECTORS
from services.api.store.reading.lists import ALBUM_ORDERS
from services.api.store.reading.pages import Order
from services.api.store.reading.track_lists import ORDERS
from shared.contracts.identity import IdKind, format_id

Variables = dict[str, Any]
_ROW = "title artists album { title } durationS year"
_PAGE = f"edges {{ node {{ id {_ROW} }} }} pageInfo {{ hasNextPage endCursor }}"


@dataclass(frozen=True, slots=True)
class HotQuery:
    """A GraphQL document and its variables.

    Attributes:
        document: the GraphQL.
        variables: a function that makes new ones, from a random generator and the number of tracks.
        index: the database index that the query must use.
    """

    document: str
    variables: Callable[[random.Random, int], Variables]
    index: str


def _id(kind: IdKind, number: int) -> str:
    """An id as `bench.large_library` makes it."""
    name = f"{kind.name.lower()}{number}"
    return format_id(kind, UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()))


def _deep(order: Order, value: Any) -> str:
    """A cursor in the middle of a list."""
    return order.cursor(value, UUID(int=0))


def _hex(chance: random.Random) -> str:
    return f"{chance.randrange(16**4):04x}"


HOT_QUERIES = {
    "tracks by title, deep": HotQuery(
        f"query($after: String) {{ tracks(first: 100, sort: TITLE, after: $after) {{ {_PAGE} }} }}",
        lambda chance, _: {"after": _deep(ORDERS["TITLE"], _hex(chance))},
        "tracks_order_title",
    ),
    "tracks by artist, deep": HotQuery(
        "query($after: String) { tracks(first: 100, sort: ARTIST, after: $after)"
        f" {{ {_PAGE} }} }}",
        lambda chance, _: {"after": _deep(ORDERS["ARTIST"], _hex(chance))},
        "tracks_order_artist",
    ),
    "newest tracks": HotQuery(
        f"{{ tracks(first: 100, sort: CREATED, direction: DESC) {{ {_PAGE} }} }}",
        lambda *_: {},
        "tracks_order_created",
    ),
    "tracks of a tempo range, by tempo": HotQuery(
        "query($low: Float, $high: Float) { tracks(first: 100, sort: TEMPO,"
        f" filter: {{ tempoBpm: {{ min: $low, max: $high }} }}) {{ totalCount {_PAGE} }} }}",
        lambda chance, _: {"low": (low := chance.uniform(60, 190)), "high": low + 3},
        "tracks_order_tempo",
    ),
    "tracks of a genre, by year": HotQuery(
        "query($genre: String) { tracks(first: 100, sort: YEAR,"
        f" filter: {{ genre: $genre }}) {{ {_PAGE} }} }}",
        lambda chance, _: {"genre": f"Genre {chance.randrange(40)}"},
        "track_genres_year",
    ),
    "tracks of an artist": HotQuery(
        "query($id: ID) { tracks(first: 100, filter: { artistId: $id })"
        f" {{ totalCount {_PAGE} }} }}",
        lambda chance, tracks: {"id": _id(IdKind.ARTIST, chance.randrange(tracks // 20))},
        "track_credits_artist",
    ),
    "tracks below a folder": HotQuery(
        "query($path: String) { tracks(first: 100, filter: { pathPrefix: $path })"
        f" {{ totalCount {_PAGE} }} }}",
        lambda chance, tracks: {"path": f"{chance.randrange(tracks // 20)}/"},
        "files_library_id_path_part_key",
    ),
    "an album with its tracks": HotQuery(
        f"query($id: ID!) {{ node(id: $id) {{ ... on Album {{ title tracks {{ {_ROW} }} }} }} }}",
        lambda chance, tracks: {"id": _id(IdKind.ALBUM, chance.randrange(tracks // 10))},
        "tracks_album",
    ),
    "albums by year, deep": HotQuery(
        "query($after: String) { albums(first: 100, sort: YEAR, after: $after)"
        " { edges { node { title year trackCount artists { artist { name } } } } } }",
        lambda chance, _: {"after": _deep(ALBUM_ORDERS["YEAR"], chance.randrange(1950, 2024))},
        "albums_order_year",
    ),
    "artists that begin with": HotQuery(
        "query($name: String) { artists(first: 100, filter: { namePrefix: $name })"
        " { edges { node { name trackCount } } } }",
        lambda chance, _: {"name": _hex(chance)[:2]},
        "artists_order",
    ),
    "500 tracks by id, with their analyses": HotQuery(
        f"query($ids: [ID!]!) {{ tracksById(ids: $ids) {{ {_ROW} genres {{ name }}"
        " analysis { tempoBpm key loudnessLufs energy } } }",
        lambda chance, tracks: {
            "ids": [_id(IdKind.TRACK, n) for n in chance.sample(range(tracks), 500)]
        },
        "tracks_pkey",
    ),
    "what sounds alike": HotQuery(
        "query($id: ID!) { node(id: $id) { ... on Track { similar(first: 20)"
        f" {{ score track {{ {_ROW} }} }} }} }} }}",
        lambda chance, tracks: {
            "id": _id(IdKind.TRACK, chance.randrange(min(tracks, WITH_VECTORS)))
        },
        "track_vectors_space_",
    ),
}
