"""Writes the rows of a large, fully processed library straight into the database, without files.

Ten tracks an album, two albums an artist, one or two of 120 genres a track, names in random order,
some years and tempos unknown.
"""

import asyncpg

from services.api.store.vectors.spaces import Space, register_spaces
from shared.contracts.versions import ANALYZER_VERSION

WITH_VECTORS = 2_000
"""Only so many tracks have vectors: building their index takes far longer than everything else."""
_TRACKS_AN_ALBUM = 10
_ALBUMS_AN_ARTIST = 2
_GENRES = 120

# Ids are computed from numbers, so that rows can refer to rows that are not there yet.
_ID = "md5('{kind}' || {number})::uuid"


def _id(kind: str, number: str) -> str:
    return _ID.format(kind=kind, number=number)


def _name(number: str) -> str:
    """A name of two words; names are not in the order of their numbers."""
    return f"substr(md5('name' || {number}), 1, 6) || ' ' || substr(md5(({number})::text), 1, 8)"


_ALBUM_OF = f"n / {_TRACKS_AN_ALBUM}"
_ARTIST_OF_ALBUM = f"n / {_ALBUMS_AN_ARTIST}"
_ARTIST_OF = f"n / {_TRACKS_AN_ALBUM * _ALBUMS_AN_ARTIST}"
_YEAR = f"CASE WHEN {_ALBUM_OF} % 9 > 0 THEN 1950 + {_ALBUM_OF} % 75 END"

_STATEMENTS = f"""
INSERT INTO libraries (id, name, root) VALUES ({_id("library", "1")}, 'music', '/music');
INSERT INTO genres (id, name, name_key)
SELECT {_id("genre", "n")}, 'Genre ' || n, 'genre' || n FROM generate_series(0, {_GENRES - 1}) n;
INSERT INTO artists (id, name, sort_name, name_key, sort_key)
SELECT {_id("artist", "n")}, name, name, name, name
FROM (
    SELECT n, {_name("n")} || ' artist' AS name
    FROM generate_series(0, :tracks / {_TRACKS_AN_ALBUM * _ALBUMS_AN_ARTIST}) n
) AS named;
INSERT INTO albums (id, place_key, owner_key, title, sort_key, artist_credit, artist_key, year,
    release_date, is_compilation)
SELECT {_id("album", "n")}, 'album ' || n, 'artist ' || {_ARTIST_OF_ALBUM}, title, title, artist,
    artist, year, year::text, n % 20 = 0
FROM (
    SELECT n, {_name("n + 10000000")} AS title, {_name(_ARTIST_OF_ALBUM)} || ' artist' AS artist,
        CASE WHEN n % 9 > 0 THEN 1950 + n % 75 END AS year
    FROM generate_series(0, :tracks / {_TRACKS_AN_ALBUM}) n
) AS named;
INSERT INTO album_credits (album_id, position, artist_id, credited_as)
SELECT {_id("album", "n")}, 0, {_id("artist", _ARTIST_OF_ALBUM)}, 'as credited'
FROM generate_series(0, :tracks / {_TRACKS_AN_ALBUM}) n;
INSERT INTO tracks (id, title, sort_key, artist_credit, artist_key, album_id, track_number,
    disc_number, year, release_date, container, codec, duration_s, tempo_bpm, key, mode, camelot,
    tags_digest, analyzer_version, analyzed_content_revision, vectorized_content_revision,
    indexed_revision, created_at)
SELECT {_id("track", "n")}, title, title, artist, artist, {_id("album", _ALBUM_OF)},
    1 + n % {_TRACKS_AN_ALBUM}, 1, year, year::text, 'flac', 'flac', 60 + n % 300,
    CASE WHEN n % 50 > 0 THEN 60 + abs(hashint4(n + 1) % 1400) / 10.0 END,
    'C', 'major', '8B', '', '{ANALYZER_VERSION}', 1, 1, 1,
    now() - make_interval(secs => abs(hashint4(n + 2) % 10000000))
FROM (
    SELECT n, {_name("n + 20000000")} AS title, {_name(_ARTIST_OF)} || ' artist' AS artist,
        {_YEAR} AS year
    FROM generate_series(0, :tracks - 1) n
) AS named;
INSERT INTO files (library_id, path, size_bytes, mtime_ns, state, track_id)
SELECT {_id("library", "1")}, concat_ws('/', {_ARTIST_OF}, {_ALBUM_OF}, n || '.flac'), 20000000,
    1700000000000000000 + n, 'present', {_id("track", "n")}
FROM generate_series(0, :tracks - 1) n;
INSERT INTO track_credits (track_id, role, position, artist_id, credited_as)
SELECT {_id("track", "n")}, 'artist', 0, {_id("artist", _ARTIST_OF)}, 'as credited'
FROM generate_series(0, :tracks - 1) n;
INSERT INTO track_genres (track_id, position, genre_id, year)
SELECT {_id("track", "n")}, position,
    {_id("genre", f"(abs(hashint4({_ARTIST_OF})) % 40 + position * 40 * (1 + n % 2))")}, {_YEAR}
FROM generate_series(0, :tracks - 1) n CROSS JOIN generate_series(0, n % 2) position;
"""

_BY_NAME = {
    "track_id": _id("track", "n"),
    "analyzer_version": f"'{ANALYZER_VERSION}'",
    "content_revision": "1",
    "genre": "'genre ' || n % 8",
    "bandwidth_kind": "'natural'",
    "mode": "'major'",
    "second_mode": "'minor'",
    "waveform": "array_fill(n % 100, ARRAY[1000])",
}
_BY_TYPE = {
    "text": "''", "bytea": "''", "boolean": "false", "integer": "n % 7", "smallint": "n % 7",
    "jsonb": "'[]'", "timestamp with time zone": "now()", "ARRAY": "'{}'",
    "real": "abs(hashint4(n) % 1000) / 1e3", "double precision": "abs(hashint4(n) % 1000) / 1e3",
}  # fmt: skip
_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_name = $1 AND table_schema = 'public' ORDER BY ordinal_position
"""
_SPACE = Space("audio", "made up", "1", 200)
_VECTORS = f"""
INSERT INTO track_vectors (track_id, vector_space_id, content_revision, embedding)
SELECT {_id("track", "n")}, (SELECT id FROM vector_spaces WHERE is_current), 1, (
    SELECT array_agg(hashint4(n * 1000 + d) / 2147483647.0)
    FROM generate_series(1, {_SPACE.dimensions}) d
)::vector
FROM generate_series(0, {{last}}) n
"""


async def fill(pool: asyncpg.Pool, tracks: int) -> None:
    """Write so many tracks with all that belongs to them; the first `WITH_VECTORS` have vectors.

    The tables must be empty.
    """
    await register_spaces(pool, [_SPACE])
    async with pool.acquire() as connection:
        async with connection.transaction():
            # Switches off triggers and foreign key checks: the rows are known to fit together.
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(_STATEMENTS.replace(":tracks", str(tracks)))
            for table in ("analyses", "meanings"):
                await _fill_by_type(connection, table, tracks)
            await connection.execute(_VECTORS.format(last=min(tracks, WITH_VECTORS) - 1))
        await connection.execute("VACUUM (ANALYZE)")


async def _fill_by_type(connection: asyncpg.Connection, table: str, tracks: int) -> None:
    """Fill every column of a table by its type, so that its columns need no list here."""
    names = {
        row["column_name"]: row["data_type"] for row in await connection.fetch(_COLUMNS, table)
    }
    values = [_BY_NAME.get(name) or _BY_TYPE[kind] for name, kind in names.items()]
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
        f" FROM generate_series(0, {tracks - 1}) n"
    )
