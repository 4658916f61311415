"""Rows by the ids they belong to: one statement for many ids, for the gateway's loaders."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from services.api.store.reading.track_lists import COLUMNS
from shared.contracts.analysis import Analysis
from shared.contracts.versions import ANALYZER_VERSION

# The ids are compared twice: otherwise the planner, which cannot count them, may read all files.
_TRACKS = f"""
SELECT {COLUMNS} FROM tracks t JOIN files f ON f.track_id = t.id
WHERE t.id = ANY($1) AND f.track_id = ANY($1)
"""  # noqa: S608 - names of ours
_TRACKS_OF_ALBUMS = f"""
SELECT {COLUMNS} FROM tracks t JOIN files f ON f.track_id = t.id
WHERE t.album_id = ANY($1) AND NOT t.is_missing
ORDER BY t.album_id, t.disc_number NULLS FIRST, t.track_number NULLS LAST, f.path, f.part
"""  # noqa: S608 - names of ours
_TRACK_CREDITS = """
SELECT track_id AS owner, artist_id, role, credited_as, join_phrase, instrument FROM track_credits
WHERE track_id = ANY($1) ORDER BY track_id, role <> 'artist', role, position
"""
_ALBUM_CREDITS = """
SELECT album_id AS owner, artist_id, 'artist' AS role, credited_as, join_phrase,
    NULL AS instrument
FROM album_credits WHERE album_id = ANY($1) ORDER BY album_id, position
"""
_GENRES_OF_TRACKS = """
SELECT tg.track_id AS owner, g.id, g.name FROM track_genres tg JOIN genres g ON g.id = tg.genre_id
WHERE tg.track_id = ANY($1) ORDER BY tg.track_id, tg.position
"""
LONG_OF_ANALYSIS = (
    "beat_times_s", "key_changes", "chroma_mean", "loudness_histogram", "loudness_histogram_lufs",
    "spectral_contrast_db", "mfcc_mean", "mfcc_std", "section_boundaries_s", "waveform",
    "fingerprint",
)  # fmt: skip
"""Columns of an analysis that are far longer than the others, and rarely requested."""
SHORT_OF_ANALYSIS = (
    "track_id", "analyzer_version", "content_revision", "analyzed_at",
    *(name for name in Analysis.model_fields if name not in {*LONG_OF_ANALYSIS, "meaning"}),
)  # fmt: skip
"""The other columns."""
# The analysis of the current version, or the newest other one until there is that.
_ANALYSES = f"""
SELECT DISTINCT ON (track_id) {", ".join(SHORT_OF_ANALYSIS)} FROM analyses WHERE track_id = ANY($1)
ORDER BY track_id, (analyzer_version = $2) DESC, analyzed_at DESC
"""  # noqa: S608 - names of ours
_LONG = f"""
SELECT track_id, analyzer_version, {", ".join(LONG_OF_ANALYSIS)} FROM analyses
WHERE (track_id, analyzer_version) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
"""  # noqa: S608 - names of ours
_CORRECTIONS = "SELECT track_id AS id, * FROM corrections WHERE track_id = ANY($1)"
_MEANINGS = """
SELECT * FROM meanings WHERE (track_id, analyzer_version) IN (
    SELECT * FROM unnest($1::uuid[], $2::text[])
)
"""
_VECTORS = """
SELECT v.track_id AS owner, v.content_revision, v.embedding, s.space, s.model, s.version,
    s.dimensions
FROM track_vectors v JOIN vector_spaces s ON s.id = v.vector_space_id
WHERE v.track_id = ANY($1) AND s.is_current ORDER BY v.track_id, s.space
"""
_LYRICS = """
SELECT track_id AS id, plain, synced, is_sidecar FROM track_lyrics WHERE track_id = ANY($1)
"""
_OTHER_TAGS = "SELECT track_id AS id, tags FROM track_other_tags WHERE track_id = ANY($1)"
_IMPORTED_FACTS = """
SELECT track_id AS owner, source, rating, play_count, energy, "key", tempo_bpm, gain_db, problem,
    is_collection, cues AS stored_cues, beat_grid AS stored_grid
FROM imported_facts WHERE track_id = ANY($1) ORDER BY track_id, source, is_collection
"""
_CHAPTERS = """
SELECT track_id AS owner, title, start_s, end_s FROM track_chapters
WHERE track_id = ANY($1) ORDER BY track_id, position
"""
_COVERS = """
SELECT sha256, mime_type, width, height, size_bytes FROM covers WHERE sha256 = ANY($1)
"""
# The image that most of the artist's present tracks have near them, of albums by this artist alone.
_ARTIST_IMAGES = """
SELECT DISTINCT ON (owner) owner, sha256 FROM (
    SELECT c.artist_id AS owner, s.facts ->> 'artist_image_sha256' AS sha256, count(*) AS tracks
    FROM album_credits c JOIN album_claims s USING (album_id)
        JOIN tracks t ON t.album_id = s.album_id AND t.album_claim = s.claim AND NOT t.is_missing
    WHERE c.artist_id = ANY($1) AND s.artist_ids = ARRAY[c.artist_id]
        AND s.facts ->> 'artist_image_sha256' IS NOT NULL
    GROUP BY 1, 2
) AS near
ORDER BY owner, tracks DESC, sha256
"""
_GENRE_TRACK_COUNTS = """
SELECT g.genre_id AS owner, count(*) AS n
FROM track_genres g JOIN tracks t ON t.id = g.track_id AND NOT t.is_missing
WHERE g.genre_id = ANY($1) GROUP BY 1
"""
_ALBUM_SUMS = """
SELECT album_id AS owner, count(*) AS n, sum(duration_s) AS duration_s FROM tracks
WHERE album_id = ANY($1) AND NOT is_missing GROUP BY 1
"""
_ALBUM_LOUDNESS = """
SELECT t.album_id AS owner, count(a.track_id) AS analyzed,
    array_agg(a.loudness_histogram) FILTER (WHERE a.loudness_histogram_lufs <> '{}')
        AS histograms,
    array_agg(a.loudness_histogram_lufs) FILTER (WHERE a.loudness_histogram_lufs <> '{}')
        AS means_lufs,
    max(a.true_peak_dbtp) AS true_peak_dbtp
FROM tracks t LEFT JOIN analyses a ON a.track_id = t.id AND a.analyzer_version = $2
WHERE t.album_id = ANY($1) AND NOT t.is_missing GROUP BY 1
"""

Row: TypeAlias = asyncpg.Record


async def tracks(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Tracks with their files, None where there is none."""
    return await _each(pool, _TRACKS, ids)


async def artists(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Artists, None where there is none."""
    return await _each(pool, "SELECT * FROM artists WHERE id = ANY($1)", ids)


async def albums(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Albums, None where there is none."""
    return await _each(pool, "SELECT * FROM albums WHERE id = ANY($1)", ids)


async def genres(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Genres, None where there is none."""
    return await _each(pool, "SELECT * FROM genres WHERE id = ANY($1)", ids)


async def covers(pool: asyncpg.Pool, hashes: Sequence[bytes]) -> list[Row | None]:
    """Facts of images, None where one is not stored."""
    found = {bytes(row["sha256"]): row for row in await pool.fetch(_COVERS, list(hashes))}
    return [found.get(sha256) for sha256 in hashes]


async def analyses(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Each track's current analysis, without its long columns."""
    found = await pool.fetch(_ANALYSES, list(ids), ANALYZER_VERSION)
    by_id = {row["track_id"]: row for row in found}
    return [by_id.get(id_) for id_ in ids]


async def corrections(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Each track's correction, None where there is none."""
    return await _each(pool, _CORRECTIONS, ids)


async def meanings(pool: asyncpg.Pool, keys: Sequence[tuple[UUID, str]]) -> list[Row | None]:
    """Meanings by track id and analyzer version, None where there is none."""
    return await _by_version(pool, _MEANINGS, keys)


async def long_of_analyses(
    pool: asyncpg.Pool, keys: Sequence[tuple[UUID, str]]
) -> list[Row | None]:
    """The long columns of analyses, by track id and analyzer version."""
    return await _by_version(pool, _LONG, keys)


async def _by_version(
    pool: asyncpg.Pool, query: str, keys: Sequence[tuple[UUID, str]]
) -> list[Row | None]:
    found = await pool.fetch(query, *map(list, zip(*keys, strict=True)))
    by_key = {(row["track_id"], row["analyzer_version"]): row for row in found}
    return [by_key.get(key) for key in keys]


async def album_tracks(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each album's present tracks, in disc and track order."""
    return await _many(pool, _TRACKS_OF_ALBUMS, ids, owner="album_id")


async def track_credits(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each track's credits, the performing artists first."""
    return await _many(pool, _TRACK_CREDITS, ids)


async def album_credits(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each album's artists."""
    return await _many(pool, _ALBUM_CREDITS, ids)


async def track_genres(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each track's genres."""
    return await _many(pool, _GENRES_OF_TRACKS, ids)


async def lyrics(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Each track's lyrics, None where there are none."""
    return await _each(pool, _LYRICS, ids)


async def other_tags(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Each track's tags that have no column, None where there are none."""
    return await _each(pool, _OTHER_TAGS, ids)


async def imported_facts(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each track's facts that were imported from other programs."""
    return await _many(pool, _IMPORTED_FACTS, ids)


async def chapters(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each track's chapters, in order."""
    return await _many(pool, _CHAPTERS, ids)


async def vectors(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[list[Row]]:
    """Each track's vectors in the current spaces."""
    return await _many(pool, _VECTORS, ids)


async def genre_track_counts(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[int]:
    """Each genre's number of present tracks."""
    found = {row["owner"]: row["n"] for row in await pool.fetch(_GENRE_TRACK_COUNTS, list(ids))}
    return [found.get(id_, 0) for id_ in ids]


async def album_sums(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[tuple[int, float]]:
    """Each album's number of present tracks and their total duration in seconds."""
    found = {
        row["owner"]: (row["n"], row["duration_s"])
        for row in await pool.fetch(_ALBUM_SUMS, list(ids))
    }
    return [found.get(id_, (0, 0.0)) for id_ in ids]


async def artist_images(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[bytes | None]:
    """The hash of each artist's image, None where there is none."""
    rows = await pool.fetch(_ARTIST_IMAGES, list(ids))
    found = {row["owner"]: bytes.fromhex(row["sha256"]) for row in rows}
    return [found.get(id_) for id_ in ids]


async def album_loudness(pool: asyncpg.Pool, ids: Sequence[UUID]) -> list[Row | None]:
    """Each album's loudness histograms (one a track) and highest true peak."""
    found = await pool.fetch(_ALBUM_LOUDNESS, list(ids), ANALYZER_VERSION)
    by_id = {row["owner"]: row for row in found}
    return [by_id.get(id_) for id_ in ids]


async def _each(pool: asyncpg.Pool, query: str, ids: Sequence[UUID]) -> list[Row | None]:
    found = {row["id"]: row for row in await pool.fetch(query, list(ids))}
    return [found.get(id_) for id_ in ids]


async def _many(
    pool: asyncpg.Pool, query: str, ids: Sequence[UUID], owner: str = "owner"
) -> list[list[Any]]:
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await pool.fetch(query, list(ids)):
        found[row[owner]].append(row)
    return [found[id_] for id_ in ids]
