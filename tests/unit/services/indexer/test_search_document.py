from typing import Any

import msgspec
import pytest

from services.indexer.search_document import search_item
from shared.gateway.indexing import TrackToIndex
from shared.search.port import Deletion, SearchDocument

TRACK: dict[str, Any] = {
    "id": "trk_1", "revision": 7, "isMissing": False, "title": "So What",
    "artistCredit": "Miles Davis feat. John Coltrane", "displayPath": "jazz/so_what.ogg",
    "year": 1959, "genres": [{"name": "Jazz"}], "chapters": [{"title": "Intro"}],
    "album": {"title": "Kind of Blue", "artistCredit": "Miles Davis"},
    "credits": [
        {"creditedAs": "Miles Davis", "artist": {"name": "Miles Davis"}},
        {"creditedAs": "J. Coltrane", "artist": {"name": "John Coltrane"}},
    ],
    "key": "D", "mode": "minor", "tempoBpm": 136.0,
}  # fmt: skip


def _track(**changes: Any) -> TrackToIndex:
    return msgspec.convert({**TRACK, **changes}, TrackToIndex)


def test_a_track_becomes_a_document_with_its_revision_as_version() -> None:
    assert search_item(_track()) == SearchDocument(
        track_id="trk_1", version=7, title="So What",
        artists=["Miles Davis", "John Coltrane", "J. Coltrane"], album="Kind of Blue",
        album_artist="Miles Davis", genres=["Jazz"], year=1959, key="D minor", tempo_bpm=136.0,
        path="jazz/so_what.ogg", chapters=["Intro"],
    )  # fmt: skip


def test_a_missing_track_becomes_a_deletion() -> None:
    assert search_item(_track(isMissing=True)) == Deletion("trk_1", 7)


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"key": None, "mode": None}, "key", None),
        ({"tempoBpm": None}, "tempo_bpm", None),
        ({"album": None}, "album_artist", None),
        ({"credits": []}, "artists", ["Miles Davis feat. John Coltrane"]),
        ({"credits": [], "artistCredit": ""}, "artists", []),
    ],
)
def test_unknown_fields_are_left_out(change: Any, field: str, expected: object) -> None:
    assert getattr(search_item(_track(**change)), field) == expected
