"""Invalid corrections: each is refused alone, with its field."""

from typing import Any

import asyncpg
import pytest

from shared.contracts.upserts import ErrorCode
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import schema_client
from tests.integration.api_write_items import track_of
from tests.integration.conftest import StoreTracks

CORRECT = """
mutation($input: [CorrectionInput!]!) {
  correctTracks(input: $input) {
    results { id status revision contentRevision error { code field message } }
  }
}
"""


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"tempoBpm": 5}, "tempoBpm", "5 is not between 20 and 400"),
        ({"key": "H", "mode": "minor"}, "key", "'H' is no tonic"),
        ({"key": "A", "mode": "dorian"}, "mode", "major or minor"),
        ({"key": "A"}, "mode", "needs a `mode`"),
        ({"mode": "minor", "key": None}, "key", "needs a `key`"),
        ({"genres": []}, "genres", "null takes the correction back"),
        ({"genres": [" "]}, "genres", "empty"),
        ({"moods": ["x" * 201]}, "moods", "201 characters"),
        ({"moods": [str(n) for n in range(21)]}, "moods", "more than 20"),
        ({"trackId": "trk_" + "0" * 32}, "trackId", "no such track"),
        ({"trackId": "alb_" + "0" * 32}, "trackId", "not the id of this kind"),
    ],
)
async def test_an_invalid_correction_is_refused_alone_with_its_field(
    pool: asyncpg.Pool, store_tracks: StoreTracks, fields: dict[str, Any], field: str, words: str
) -> None:
    made = await store_tracks("a.mp3", "b.mp3")
    items = [
        {"trackId": track_of(made[0]), **fields},
        {"trackId": track_of(made[1]), "tempoBpm": 99},
    ]
    bad, good = await results(pool, items)
    assert bad["error"]["field"] == field
    assert words in bad["error"]["message"]
    code = "NOT_FOUND" if "no such" in words else ErrorCode.INVALID
    assert (bad["error"]["code"], good["error"], good["status"]) == (code, None, "CREATED")
    assert await pool.fetchval("SELECT count(*) FROM corrections") == 1


async def results(pool: asyncpg.Pool, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of the mutation."""
    ask = schema_client(pool, Settings())
    found: list[dict[str, Any]] = (await ask(CORRECT, input=items))["correctTracks"]["results"]
    return found
