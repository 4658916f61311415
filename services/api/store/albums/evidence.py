"""Reads what the tracks of a title say about their albums, for `grouping`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.api.identity import VARIOUS_ARTISTS_KEY, fold, year_of
from services.api.store.albums.grouping import VARIOUS, Evidence, Position

VARIOUS_ARTISTS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz' artist that stands for many."""
_CLAIMS = "SELECT title_key, album_id, claim, facts FROM album_claims WHERE title_key = ANY($1)"
_TRACKS = """
SELECT album_id, album_claim, id, disc_number, track_number, title, is_missing
FROM tracks WHERE album_id = ANY($1) AND album_claim = ANY($2)
"""
_MUSICBRAINZ_IDS = """
SELECT id, musicbrainz_artist_id FROM artists
WHERE id = ANY($1) AND musicbrainz_artist_id IS NOT NULL
"""


class ClaimingTrack(NamedTuple):
    """A track, and the album and claim that it refers to."""

    id: UUID
    album_id: UUID
    claim: str
    folder: str


@dataclass(slots=True)
class Claims:
    """What the tracks of one title say, and the tracks themselves.

    Attributes:
        evidence: of present tracks.
        tracks: present and missing ones.
    """

    evidence: list[Evidence] = field(default_factory=list)
    tracks: list[ClaimingTrack] = field(default_factory=list)


async def read_claims(
    connection: asyncpg.Connection, title_keys: Sequence[str]
) -> dict[str, Claims]:
    """The claims of titles that may need grouping, by key of the title."""
    titles: defaultdict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await connection.fetch(_CLAIMS, title_keys):
        titles[row["title_key"]].append(row)
    unsure = {key: rows for key, rows in titles.items() if _may_differ(rows)}
    rows = [row for each in unsure.values() for row in each]
    if not rows:
        return {}
    albums, names = {row["album_id"] for row in rows}, {row["claim"] for row in rows}
    tracks: defaultdict[tuple[UUID, str], list[asyncpg.Record]] = defaultdict(list)
    for track in await connection.fetch(_TRACKS, list(albums), list(names)):
        tracks[track["album_id"], track["album_claim"]].append(track)
    ids = {credit[0] for row in rows for credit in row["facts"]["credits"]}
    found = await connection.fetch(_MUSICBRAINZ_IDS, [UUID(id_) for id_ in ids])
    musicbrainz_ids = {row["id"].hex: str(row["musicbrainz_artist_id"]) for row in found}
    return {key: _claims(each, tracks, musicbrainz_ids) for key, each in unsure.items()}


def _may_differ(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the claims may be of several albums, or should be of one and are not."""
    return (
        len({row["album_id"] for row in rows}) > 1
        or len({_distinct(row["facts"]) for row in rows}) > 1
    )


def _distinct(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    # Only in the library's root the artists of tracks part albums.
    by_artist = facts["is_artist_told"] or not facts["folder"]
    artist = (facts["artist_key"], facts["is_compilation"]) if by_artist else None
    ids = tuple(credit[0] for credit in facts["credits"]) if by_artist else ()
    names = ("folder", "musicbrainz_release_id", "musicbrainz_release_group_id")
    years = year_of(facts["release_date"]), year_of(facts["original_date"])
    return (artist, ids, years, *(facts[name] for name in names))


def _claims(
    rows: Sequence[Mapping[str, Any]],
    tracks: Mapping[tuple[UUID, str], Sequence[Mapping[str, Any]]],
    musicbrainz_ids: Mapping[str, str],
) -> Claims:
    claims = Claims()
    present: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    facts: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        name = row["claim"], row["facts"]["folder"]
        facts[name] = row["facts"]
        for track in tracks.get((row["album_id"], row["claim"]), ()):
            claims.tracks.append(ClaimingTrack(track["id"], row["album_id"], *name))
            if not track["is_missing"]:
                present[name].append(track)
    artists = _artists([facts[name] for name in present], musicbrainz_ids)
    for name, here in present.items():
        claims.evidence.append(_evidence(name[0], facts[name], here, artists))
    return claims


def _artists(claims: Sequence[Mapping[str, Any]], musicbrainz_ids: Mapping[str, str]) -> "_Artists":
    names: defaultdict[str, set[str]] = defaultdict(set)
    for facts in claims:
        if ids := _ids(facts, musicbrainz_ids):
            names[facts["artist_key"]].add(ids)
    return _Artists(musicbrainz_ids, names)


def _ids(facts: Mapping[str, Any], musicbrainz_ids: Mapping[str, str]) -> str:
    """The MusicBrainz ids of an album's artists; '' where not all have one."""
    ids = [musicbrainz_ids.get(credit[0], "") for credit in facts["credits"]]
    return " ".join(ids) if all(ids) else ""


class _Artists(NamedTuple):
    """Tells the identity of album artists.

    Artists of one MusicBrainz id are one, however they are spelled. A name without an id is the
    artist of that name, unless there are several.
    """

    musicbrainz_ids: Mapping[str, str]
    ids_of_names: Mapping[str, set[str]]

    def identity(self, facts: Mapping[str, Any]) -> str:
        key: str = facts["artist_key"]
        ids = _ids(facts, self.musicbrainz_ids)
        if VARIOUS_ARTISTS_ID in ids or key == VARIOUS_ARTISTS_KEY:
            return VARIOUS
        known = self.ids_of_names.get(key, set())
        if not ids and len(known) == 1:
            (ids,) = known
        return ids or key


def _evidence(
    claim: str, facts: Mapping[str, Any], tracks: Sequence[Mapping[str, Any]], artists: _Artists
) -> Evidence:
    return Evidence(
        claim=claim,
        folder=facts["folder"],
        artist=artists.identity(facts),
        is_artist_told=facts["is_artist_told"],
        is_compilation=facts["is_compilation"],
        year=year_of(facts["release_date"]),
        original_year=year_of(facts["original_date"]),
        release_id=facts["musicbrainz_release_id"],
        release_group_id=facts["musicbrainz_release_group_id"],
        positions=frozenset(map(_position, tracks)),
        discs=frozenset(track["disc_number"] for track in tracks),
        tracks=len(tracks),
    )


def _position(track: Mapping[str, Any]) -> Position:
    number = track["track_number"]
    return (track["disc_number"] or 1, fold(track["title"]) if number is None else number)
