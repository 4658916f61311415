"""What a person says of a track: it wins over what is measured and over what the tags say.

The one place where a correction is laid over the rest. What stands is kept where it is read:
tempo and key in `tracks` (`what_stands`), genres in `track_genres`, moods in `tracks.moods`. What
was measured stays in `analyses`, and what the tags say of corrected genres and moods in the
correction, until it is taken back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold
from services.api.store.checks import Item
from services.api.store.corrections.validate import CorrectionRow, correction_row
from services.api.store.genres import clear_track_genres, ensure, write_track_genres
from services.api.store.results import Problem, ProblemCode, Status, TrackUpserted, in_transaction
from services.api.store.vectors.upsert import outdate_texts

_FIELDS = ("tempo_bpm", "key", "mode", "camelot", "genres", "moods")
_COLUMNS = ", ".join(("track_id", *_FIELDS, "tag_genres", "tag_moods"))

_LOCK_TRACKS = """
SELECT id, revision, content_revision FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_READ = f"SELECT {_COLUMNS} FROM corrections WHERE track_id = ANY($1)"  # noqa: S608 - ours
# What stands of genres and moods; of tracks that are corrected in neither: what the tags say.
_WORDS = """
SELECT t.id, t.moods, array(
    SELECT g.name FROM track_genres tg JOIN genres g ON g.id = tg.genre_id
    WHERE tg.track_id = t.id ORDER BY tg.position
) AS genres
FROM tracks t WHERE t.id = ANY($1)
"""
_YEARS = "SELECT id, year FROM tracks WHERE id = ANY($1)"
_CLEAR = "DELETE FROM corrections WHERE track_id = ANY($1)"
_WRITE = f"""
INSERT INTO corrections ({_COLUMNS})
SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::corrections, $1)
"""  # noqa: S608 - as above
_WRITE_MOODS = """
UPDATE tracks SET moods = new.moods FROM jsonb_to_recordset($1) AS new(id uuid, moods text[])
WHERE tracks.id = new.id
"""
_WITH_WORDS = """
SELECT track_id, genres, moods FROM corrections
WHERE track_id = ANY($1) AND (genres IS NOT NULL OR moods IS NOT NULL)
"""
_KEEP_TAGGED = """
UPDATE corrections SET tag_genres = new.genres, tag_moods = new.moods
FROM jsonb_to_recordset($1) AS new(id uuid, genres text[], moods text[])
WHERE corrections.track_id = new.id
"""


def what_stands(analyzer_version: str) -> str:
    """For `UPDATE tracks SET`: tempo and key as they stand.

    `analyzer_version` is an SQL expression, the version of the analysis that stands.
    """
    measured = ", ".join(
        f"coalesce(c.{name}, CASE WHEN a.key_confidence > 0 THEN a.{name} END)"
        for name in ("key", "mode", "camelot")
    )
    return (
        "(tempo_bpm, key, mode, camelot) = ("  # noqa: S608 - our names
        f"SELECT coalesce(c.tempo_bpm, nullif(a.tempo_bpm, 0)), {measured} FROM (SELECT) AS one"
        " LEFT JOIN corrections c ON c.track_id = tracks.id"
        " LEFT JOIN analyses a ON a.track_id = tracks.id"
        f" AND a.analyzer_version = {analyzer_version})"
    )


_MOVE_TRACKS = f"""
UPDATE tracks SET {what_stands("tracks.analyzer_version")},
    vectorized_content_revision = NULL, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""  # noqa: S608 - as above


@dataclass(slots=True)
class _Corrected:
    """A track's correction before and after."""

    before: dict[str, Any]
    after: dict[str, Any] = field(default_factory=dict)


async def store(pool: asyncpg.Pool, items: Sequence[Item]) -> list[TrackUpserted]:
    """Lay a batch of corrections over what is there; one result an item, in order.

    What an item leaves out stays as it was, None takes a correction back. Whatever changes is a
    revision of the track, and its text vector has to be made anew.
    """
    rows = [correction_row(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _store(connection, rows)

    return await in_transaction(pool, work)


async def _store(
    connection: asyncpg.Connection, rows: list[CorrectionRow | Problem]
) -> list[TrackUpserted]:
    ids = sorted({row.track_id for row in rows if isinstance(row, CorrectionRow)})
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    known = {row["track_id"]: dict(row) for row in await connection.fetch(_READ, ids)}
    corrected = {id_: _Corrected(known.get(id_) or dict.fromkeys(_FIELDS)) for id_ in tracks}
    for row in rows:
        if isinstance(row, CorrectionRow) and row.track_id in corrected:
            one = corrected[row.track_id]
            one.after = {**(one.after or one.before), **row.told}
    changed = {
        id_: one
        for id_, one in corrected.items()
        if any(one.after.get(name, was) != was for name, was in one.before.items())
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
        unknown = Problem(ProblemCode.NOT_FOUND, "there is no such track", "trackId")
        return TrackUpserted(problem=unknown)
    status = Status.UNCHANGED
    if row.track_id in changed:
        status = Status.UPDATED if row.track_id in known else Status.CREATED
    revision = track["revision"] + (row.track_id in changed)
    return TrackUpserted(row.track_id, status, revision, track["content_revision"])


async def _write(connection: asyncpg.Connection, changed: Mapping[UUID, _Corrected]) -> None:
    if not changed:
        return
    ids = sorted(changed)
    stand = {row["id"]: row for row in await connection.fetch(_WORDS, ids)}
    lay: dict[str, dict[UUID, list[str]]] = {"genres": {}, "moods": {}}
    for id_ in ids:
        before, after = changed[id_].before, changed[id_].after
        for name, words in lay.items():
            tagged = stand[id_][name] if before[name] is None else before[f"tag_{name}"]
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
    await _lay(connection, **lay)
    await connection.execute(_MOVE_TRACKS, ids)
    await outdate_texts(connection, ids)


async def _lay(
    connection: asyncpg.Connection,
    *,
    genres: Mapping[UUID, Sequence[str]],
    moods: Mapping[UUID, Sequence[str]],
) -> None:
    """Let these genres and moods stand."""
    if genres:
        named = [(id_, n, name) for id_, names in genres.items() for n, name in enumerate(names)]
        ids = await ensure(connection, {fold(name): name for _, _, name in named})
        years = dict(await connection.fetch(_YEARS, list(genres)))
        written = [(id_, n, ids[fold(name)], years[id_]) for id_, n, name in named]
        await clear_track_genres(connection, list(genres))
        await write_track_genres(connection, written)
    if moods:
        told = [{"id": str(id_), "moods": list(words)} for id_, words in moods.items()]
        await connection.execute(_WRITE_MOODS, told)


async def outlast_tags(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Lay corrections over tags that were just written to these tracks, which are locked."""
    corrected = await connection.fetch(_WITH_WORDS, track_ids)
    if not corrected:
        return
    tagged = {row["id"]: row for row in await connection.fetch(_WORDS, track_ids)}
    told = []
    for row in corrected:
        own = tagged[row["track_id"]]
        words = {name: row[name] and own[name] for name in ("genres", "moods")}
        told.append({"id": str(row["track_id"]), **words})
    await connection.execute(_KEEP_TAGGED, told)
    await _lay(
        connection,
        genres={row["track_id"]: row["genres"] for row in corrected if row["genres"]},
        moods={row["track_id"]: row["moods"] for row in corrected if row["moods"]},
    )
