"""Stores what collections of DJ software say of tracks, beside what files say."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction
from services.api.store.results import Problem
from services.api.store.tracks.facts import Fact, fact_of
from shared.contracts.upserts import ErrorCode

_FIND = """
SELECT path, part, track_id FROM files
WHERE library_id = $1 AND path = ANY($2) AND track_id IS NOT NULL
    AND part <= 1 AND state <> 'replaced'
"""
_IN_PARTS = Problem(
    ErrorCode.CONFLICT, "its cue sheet makes several tracks of it: none of them is meant", "path"
)
_VALUES = """rating, play_count, energy, "key", tempo_bpm, gain_db, cues, beat_grid, problem"""
_STORE = f"""
INSERT INTO imported_facts (track_id, source, is_collection, import_id, {_VALUES})
SELECT track_id, source, true, $2, {_VALUES}
FROM jsonb_populate_recordset(NULL::imported_facts, $1) ORDER BY track_id
ON CONFLICT (track_id, source, is_collection) DO UPDATE SET
    (import_id, {_VALUES}) = ROW (
        EXCLUDED.import_id, {", ".join(f"EXCLUDED.{name.strip()}" for name in _VALUES.split(","))}
    )
"""  # noqa: S608 - the column names above
_REMOVE_EARLIER = """
DELETE FROM imported_facts f USING files
WHERE files.track_id = f.track_id AND files.library_id = $1
    AND f.source = $2 AND f.is_collection AND f.import_id <> $3
"""


class FactImport(NamedTuple):
    """The result of one item: the track of its file, or what is wrong; neither: no such file."""

    track_id: UUID | None = None
    problem: Problem | None = None


class _FileFact(NamedTuple):
    paths: tuple[str, ...]
    """As it is given, then composed and decomposed: macOS decomposes names, others do not."""
    fact: Fact


async def import_facts(
    pool: asyncpg.Pool, library_id: UUID, import_id: UUID, items: Sequence[Item]
) -> list[FactImport]:
    """Store the facts of one import, by the paths of files; one result an item, in order."""
    rows = [_row_or_problem(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[FactImport]:
        paths = {path for row in rows if isinstance(row, _FileFact) for path in row.paths}
        files = await connection.fetch(_FIND, library_id, sorted(paths))
        found = {
            file["path"]: FactImport(problem=_IN_PARTS)
            if file["part"]
            else FactImport(file["track_id"])
            for file in files
        }
        results = [_result(row, found) for row in rows]
        stored = {
            (result.track_id, row.fact.source): {"track_id": str(result.track_id)}
            | row.fact._asdict()
            for row, result in zip(rows, results, strict=True)
            if isinstance(row, _FileFact) and result.track_id is not None
        }
        if stored:
            await connection.execute(_STORE, list(stored.values()), import_id)
        return results

    return await in_transaction(pool, work)


async def end_import(pool: asyncpg.Pool, library_id: UUID, source: str, import_id: UUID) -> int:
    """Remove what earlier imports of the program brought to the library; returns how many facts."""

    async def work(connection: asyncpg.Connection) -> int:
        tag = await connection.execute(_REMOVE_EARLIER, library_id, source, import_id)
        return int(tag.rpartition(" ")[2])

    return await in_transaction(pool, work)


def _row_or_problem(item: Item) -> _FileFact | Problem:
    try:
        path = checks.below_root(checks.text(item, "path"))
        spellings = dict.fromkeys((path, *(unicodedata.normalize(f, path) for f in ("NFC", "NFD"))))
        return _FileFact(tuple(spellings), fact_of(item["fact"]))
    except InvalidValue as invalid:
        return invalid.problem


def _result(row: _FileFact | Problem, found: Mapping[str, FactImport]) -> FactImport:
    if isinstance(row, Problem):
        return FactImport(problem=row)
    return next((found[path] for path in row.paths if path in found), FactImport())
