"""All rows of a library's tables, told so that two libraries of the same music can be compared.

Ids are drawn at random and moments differ: an id is told as what it stands for (a track as its
path, an artist as its name), moments and counts of changes are left out.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

# What each id stands for; nothing else holds ids that are drawn at random.
_LABELS = """
SELECT id, 'library ' || root FROM libraries
UNION ALL
SELECT id, 'artist ' || name_key || coalesce(' ' || musicbrainz_artist_id, '') FROM artists
UNION ALL SELECT id, 'album ' || place_key || ' ' || owner_key FROM albums
UNION ALL SELECT id, 'genre ' || name_key FROM genres
UNION ALL SELECT id, 'file ' || path FROM files
UNION ALL SELECT track_id, 'track ' || path FROM files WHERE track_id IS NOT NULL
"""
# Numbered as they come, and one that a vectorizer has begun with is left behind where an analyzer
# tells of a trained model later.
_SPACES = "SELECT id, concat_ws(' ', space, model, version) FROM vector_spaces"
_WHERE = {"vector_spaces": "WHERE is_current"}
_COLUMNS = """
SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> ALL($1) AND column_name <> ALL($2)
    AND data_type <> 'timestamp with time zone'
GROUP BY table_name
"""
# How the work went, not what came of it; the digest is of ids too.
_TABLES_LEFT_OUT = ("alembic_version", "scans", "search_generation")
_COLUMNS_LEFT_OUT = ("revision", "indexed_revision", "read_by_scan_id", "tags_digest")

_ID = re.compile(r"[0-9a-f]{32}(?![0-9a-f])")

Tables = dict[str, Counter[str]]
"""Rows by table, each as often as it is there."""


def tables(dsn: Mapping[str, str] | str, without: Sequence[str] = ()) -> Tables:
    """Read everything, but for columns that are named. `dsn`: a URL, or asyncpg's arguments."""
    return asyncio.run(_read(dsn, (*_COLUMNS_LEFT_OUT, *without)))


async def _read(dsn: Mapping[str, str] | str, without: Sequence[str]) -> Tables:
    connection = await (asyncpg.connect(dsn) if isinstance(dsn, str) else asyncpg.connect(**dsn))
    try:
        labels = dict(await connection.fetch(_LABELS))
        spaces = dict(await connection.fetch(_SPACES))
        found = await connection.fetch(_COLUMNS, _TABLES_LEFT_OUT, without)
        return {
            table: Counter(
                [
                    _row(row, labels, spaces)
                    for row in await connection.fetch(
                        f"SELECT {', '.join(map(_quoted, sorted(columns)))} FROM {_quoted(table)}"
                        f" {_WHERE.get(table, '')}"
                    )
                ]
            )
            for table, columns in found
        }
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _row(row: asyncpg.Record, labels: Mapping[UUID, str], spaces: Mapping[int, str]) -> str:
    told = "; ".join(
        f"{name}={spaces[value] if _is_space(name, row) else _told(value, labels)}"
        for name, value in row.items()
    )
    # Natural keys have the library's id in their text.
    return _ID.sub(lambda found: labels.get(UUID(found[0]), found[0]), told)


def _is_space(name: str, row: asyncpg.Record) -> bool:
    return name == "vector_space_id" or (name == "id" and "dimensions" in row.keys())  # noqa: SIM118 - a record's `in` asks its values


def _told(value: Any, labels: Mapping[UUID, str]) -> str:
    if isinstance(value, list):
        return repr([_told(one, labels) for one in value])
    return labels.get(value, str(value)) if isinstance(value, UUID) else repr(value)


def differences(one: Tables, other: Tables) -> list[str]:
    """What is in one only ("- ") or in the other only ("+ "), shortened; empty where equal."""
    told = []
    for table in sorted(one.keys() | other.keys()):
        rows, others = one.get(table, Counter()), other.get(table, Counter())
        told += [f"- {table}: {row[:600]}" for row in rows - others]
        told += [f"+ {table}: {row[:600]}" for row in others - rows]
    return told
