"""Applies corrections: they win over what is measured and over what the tags say.

The values in effect are stored where they are read: tempo and key in `tracks`, genres in
`track_genres`, moods in `tracks.moods`. The measured values stay in `analyses`; the genres and
moods of the tags are kept in the correction until it is withdrawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import genre_key
from services.api.store.analyses.current import effective_columns
from services.api.store.checks import Item
from services.api.store.corrections.validate import CorrectionRow, correction_row
from services.api.store.database.pool import in_transaction
from services.api.store.genres import clear_track_genres, ensure, write_track_genres
from services.api.store.results import Problem, TrackUpserted
from services.api.store.scan_end import decide
from services.api.store.spelling import mark_uncounted, respelled
from services.api.store.vectors.spaces import outdate_text_vectors
from shared.contracts.upserts import ErrorCode, UpsertStatus

_FIELDS = ("tempo_bpm", "key", "mode", "camelot", "genres", "moods")
_COLUMNS = ", ".join(("track_id", *_FIELDS, "tag_genres", "tag_moods"))

_LOCK_TRACKS = """
SELECT id, revision, content_revision FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_READ = f"SELECT {_COLUMNS} FROM corrections WHERE track_id = ANY($1)"  # noqa: S608 - names of ours
# The genres and moods in effect: of tracks that are corrected in neither, those of the tags.
_GENRES_AND_MOODS = """
SELECT t.id, t.moods, array(
    SELECT coalesce(tg.tagged_as, g.name) FROM track_genres tg JOIN genres g ON g.id = tg.genre_id
    WHERE tg.track_id = t.id ORDER BY tg.position
) AS genres
FROM tracks t WHERE t.id = ANY($1)
"""
_YEARS = "SELECT id, year FROM tracks WHERE id = ANY($1)"
_CLEAR = "DELETE FROM corrections WHERE track_id = ANY($1)"
_WRITE = f"""
INSERT INTO corrections ({_COLUMNS})
SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::corrections, $1)
"""  # noqa: S608 - names of ours
_WRITE_MOODS = """
UPDATE tracks SET moods = new.moods FROM jsonb_to_recordset($1) AS new(id uuid, moods text[])
WHERE tracks.id = new.id
"""
_WITH_GENRES_OR_MOODS = """
SELECT track_id, genres, moods FROM corrections
WHERE track_id = ANY($1) AND (genres IS NOT NULL OR moods IS NOT NULL)
"""
_WRITE_TAGGED = """
UPDATE corrections SET tag_genres = new.genres, tag_moods = new.moods
FROM jsonb_to_recordset($1) AS new(id uuid, genres text[], moods text[])
WHERE corrections.track_id = new.id
"""
_UPDATE_TRACKS = f"""
UPDATE tracks SET {effective_columns("tracks.analyzer_version")},
    vectorized_content_revision = NULL, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""  # noqa: S608 - names of ours


@dataclass(slots=True)
class _Corrected:
    """A track's correction before and after."""

    before: dict[str, Any]
    after: dict[str, Any] = field(default_factory=dict)


async def apply_corrections(pool: asyncpg.Pool, items: Sequence[Item]) -> list[TrackUpserted]:
    """Apply a batch in one transaction; one result an item, in order.

    What an item leaves out stays as it was, None withdraws a correction. Each change is a new
    revision of the track, and its text vector has to be made anew.
    """
    rows = [correction_row(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _apply(connection, rows)

    results = await in_transaction(pool, work)
    await decide(pool)
    return results


async def _apply(
    connection: asyncpg.Connection, rows: list[CorrectionRow | Problem]
) -> list[TrackUpserted]:
    ids = sorted({row.track_id for row in rows if isinstance(row, CorrectionRow)})
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    known = {row["track_id"]: dict(row) for row in await connection.fetch(_READ, ids)}
    corrected = {id_: _Corrected(known.get(id_) or dict.fromkeys(_FIELDS)) for id_ in tracks}
    for row in rows:
        if isinstance(row, CorrectionRow) and row.track_id in corrected:
            track = corrected[row.track_id]
            track.after = {**(track.after or track.before), **row.values}
    changed = {
        id_: track
        for id_, track in corrected.items()
        if any(track.after.get(name, value) != value for name, value in track.before.items())
    }
    await _write(connection, changed)
    return [_result(row, tracks, known, changed) for row in rows]


def _result(
    row: CorrectionRow | Problem,
    tracks: Mapping[UUID, asyncpg.Record],
    known: Mapping[UUID, Any],
    changed: Mapping[UUID, _Corrected],
) -> TrackUpserted:
    if isinstance(row, Problem):
        return TrackUpserted(problem=row)
    track = tracks.get(row.track_id)
    if track is None:
        unknown = Problem(ErrorCode.NOT_FOUND, "there is no such track", "trackId")
        return TrackUpserted(problem=unknown)
    status = UpsertStatus.UNCHANGED
    if row.track_id in changed:
        status = UpsertStatus.UPDATED if row.track_id in known else UpsertStatus.CREATED
    revision = track["revision"] + (row.track_id in changed)
    return TrackUpserted(row.track_id, status, revision, track["content_revision"])


async def _write(connection: asyncpg.Connection, changed: Mapping[UUID, _Corrected]) -> None:
    if not changed:
        return
    ids = sorted(changed)
    in_effect = {row["id"]: row for row in await connection.fetch(_GENRES_AND_MOODS, ids)}
    new: dict[str, dict[UUID, list[str]]] = {"genres": {}, "moods": {}}
    for id_ in ids:
        before, after = changed[id_].before, changed[id_].after
        for name, words in new.items():
            tagged = in_effect[id_][name] if before[name] is None else before[f"tag_{name}"]
            after[f"tag_{name}"] = None if after[name] is None else tagged
            if after[name] != before[name]:
                words[id_] = tagged if after[name] is None else after[name]
    await connection.execute(_CLEAR, ids)
    kept = [
        {**changed[id_].after, "track_id": str(id_)}
        for id_ in ids
        if any(changed[id_].after[name] is not None for name in _FIELDS)
    ]
    await connection.execute(_WRITE, kept)
    uncounted = await _write_genres_and_moods(connection, **new)
    await connection.execute(_UPDATE_TRACKS, ids)
    await outdate_text_vectors(connection, ids)
    if uncounted:
        await mark_uncounted(connection, uncounted)


async def _write_genres_and_moods(
    connection: asyncpg.Connection,
    *,
    genres: Mapping[UUID, Sequence[str]],
    moods: Mapping[UUID, Sequence[str]],
) -> set[UUID]:
    """Replace the genres and moods of tracks; returns genres that may be called otherwise now."""
    uncounted: set[UUID] = set()
    if genres:
        named = [(id_, n, name) for id_, names in genres.items() for n, name in enumerate(names)]
        known = await ensure(connection, {genre_key(name): name for _, _, name in named})
        years = dict(await connection.fetch(_YEARS, list(genres)))
        rows = [(id_, n, known[genre_key(name)].id, years[id_], name) for id_, n, name in named]
        before = await clear_track_genres(connection, list(genres))
        await write_track_genres(connection, rows)
        names_ = {genre.id: genre.name for genre in known.values()}
        uncounted = respelled(before, ((row[2], row[4]) for row in rows), names_)
    if moods:
        values = [{"id": str(id_), "moods": list(words)} for id_, words in moods.items()]
        await connection.execute(_WRITE_MOODS, values)
    return uncounted


async def reapply_corrections(
    connection: asyncpg.Connection, track_ids: Sequence[UUID]
) -> set[UUID]:
    """Apply corrections again to these tracks, which are locked: tags were just written there.

    Returns the genres that may be called otherwise now.
    """
    corrected = await connection.fetch(_WITH_GENRES_OR_MOODS, track_ids)
    if not corrected:
        return set()
    tagged = {row["id"]: row for row in await connection.fetch(_GENRES_AND_MOODS, track_ids)}
    values = []
    for row in corrected:
        tags = tagged[row["track_id"]]
        words = {name: row[name] and tags[name] for name in ("genres", "moods")}
        values.append({"id": str(row["track_id"]), **words})
    await connection.execute(_WRITE_TAGGED, values)
    return await _write_genres_and_moods(
        connection,
        genres={row["track_id"]: row["genres"] for row in corrected if row["genres"]},
        moods={row["track_id"]: row["moods"] for row in corrected if row["moods"]},
    )
