"""Reads all rows of a library's tables in a form that two libraries of the same music share.

Ids are random and times differ. So an id is replaced by what it identifies (a track by its path, an
artist by their name), and times and revisions are left out.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

# What each random id identifies.
_LABELS = """
SELECT id, 'library ' || root FROM libraries
UNION ALL
SELECT id, 'artist ' || name_key || coalesce(' ' || musicbrainz_artist_id, '') FROM artists
UNION ALL SELECT id, 'album ' || place_key || ' ' || owner_key FROM albums
UNION ALL SELECT id, 'genre ' || name_key FROM genres
UNION ALL SELECT id, 'file ' || path FROM files
UNION ALL SELECT track_id, 'track ' || path FROM files WHERE track_id IS NOT NULL
"""
# Spaces are numbered in order of their creation. If a vectorizer starts before an analyzer
# registers its trained model, an unused space remains: only current ones are compared.
_SPACES = "SELECT id, concat_ws(' ', space, model, version) FROM vector_spaces"
_WHERE = {"vector_spaces": "WHERE is_current"}
_COLUMNS = """
SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> ALL($1) AND column_name <> ALL($2)
    AND data_type <> 'timestamp with time zone'
GROUP BY table_name
"""
# They describe how the work went, not its result; digests and claims are made of ids, too.
_TABLES_LEFT_OUT = ("alembic_version", "scans", "search_generation")
_COLUMNS_LEFT_OUT = (
    "revision", "indexed_revision", "read_by_scan_id", "tags_digest", "claim", "album_claim",
)  # fmt: skip

_ID = re.compile(r"[0-9a-f]{32}(?![0-9a-f])")

Tables = dict[str, Counter[str]]
"""The rows of each table, with their counts."""


def tables(dsn: Mapping[str, str] | str, without: Sequence[str] = ()) -> Tables:
    """Read all tables, without the named columns. `dsn`: a URL, or asyncpg's arguments."""
    return asyncio.run(_read(dsn, (*_COLUMNS_LEFT_OUT, *without)))


async def _read(dsn: Mapping[str, str] | str, without: Sequence[str]) -> Tables:
    connection = await (asyncpg.connect(dsn) if isinstance(dsn, str) else asyncpg.connect(**dsn))
    try:
        labels = dict(await connection.fetch(_LABELS))
        spaces = dict(await connection.fetch(_SPACES))
        columns_by_table = await connection.fetch(_COLUMNS, _TABLES_LEFT_OUT, without)
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
            for table, columns in columns_by_table
        }
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _row(row: asyncpg.Record, labels: Mapping[UUID, str], spaces: Mapping[int, str]) -> str:
    text = "; ".join(
        f"{name}={spaces[value] if _is_space(name, row) else _label(value, labels)}"
        for name, value in row.items()
    )
    # Natural keys contain the library's id.
    return _ID.sub(lambda found: labels.get(UUID(found[0]), found[0]), text)


def _is_space(name: str, row: asyncpg.Record) -> bool:
    return name == "vector_space_id" or (name == "id" and "dimensions" in row.keys())  # noqa: SIM118 - `in` of a record looks at its values


def _label(value: Any, labels: Mapping[UUID, str]) -> str:
    if isinstance(value, list):
        return repr([_label(one, labels) for one in value])
    return labels.get(value, str(value)) if isinstance(value, UUID) else repr(value)


def differences(one: Tables, other: Tables) -> list[str]:
    """Rows only in one ("- ") or only in the other ("+ "), shortened; empty if they are equal."""
    lines = []
    for table in sorted(one.keys() | other.keys()):
        rows, others = one.get(table, Counter()), other.get(table, Counter())
        lines += [f"- {table}: {row[:600]}" for row in rows - others]
        lines += [f"+ {table}: {row[:600]}" for row in others - rows]
    return lines
