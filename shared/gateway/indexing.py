"""The operations of the indexer: reads tracks, and registers the index in use."""

from collections.abc import Sequence

import msgspec

from shared.gateway.client import Gateway, in_portions, operation

MOST_IDS = 500
"""The most tracks of one request."""


class Named(msgspec.Struct):
    """An artist or genre."""

    name: str


class Credit(msgspec.Struct, rename="camel"):
    """An artist, and the name that is credited."""

    credited_as: str
    artist: Named


class AlbumTitle(msgspec.Struct, rename="camel"):
    """An album's title and artist credit."""

    title: str
    artist_credit: str


class Chapter(msgspec.Struct):
    """A chapter of a track."""

    title: str


class TrackToIndex(msgspec.Struct, rename="camel"):
    """The searchable values of a track."""

    id: str
    revision: int
    is_missing: bool
    title: str
    artist_credit: str
    display_path: str
    year: int | None
    tempo_bpm: float | None
    key: str | None
    mode: str | None
    credits: list[Credit]
    album: AlbumTitle | None
    genres: list[Named]
    chapters: list[Chapter]


TRACKS_TO_INDEX = operation("tracks_to_index", list[TrackToIndex | None], ids=list[str])
REGISTER_SEARCH_GENERATION = operation("register_search_generation", bool, generation=str)


async def tracks_to_index(gateway: Gateway, ids: Sequence[str]) -> list[TrackToIndex]:
    """The tracks that exist, each once, in the order of the ids."""
    found: list[TrackToIndex] = []
    for portion in in_portions(list(dict.fromkeys(ids)), MOST_IDS):
        tracks = await gateway.execute(TRACKS_TO_INDEX, ids=portion)
        found += [track for track in tracks if track is not None]
    return found


async def register_generation(gateway: Gateway, generation: str) -> bool:
    """Register the index in use; whether the gateway had registered another one, or none."""
    return await gateway.execute(REGISTER_SEARCH_GENERATION, generation=generation)
