"""Many files of five formats: all stages complete, and the tracks have mutagen's values."""

import random
import re
from pathlib import Path
from typing import Any

import mutagen
import pytest

from bench.generated_library import FORMATS, generate
from tests.e2e.running import TAGS, Bay


def test_tracks_have_the_values_that_mutagen_reads(
    bay: Bay, tmp_path: Path, thorough: bool
) -> None:
    files, sample = (3_000, 300) if thorough else (300, 100)
    music = tmp_path / "music"
    paths = generate(music, files, seed=11)
    assert {path.suffix[1:] for path in paths} == set(FORMATS)
    with bay.serving("--music", str(music)):
        status = bay.wait_until_idle(900)
        stages = {status[name] for name in ("tracks", "analyzed", "vectorized", "indexed")}
        assert stages == {files}, status
        assert status["failed"] == 0
        tracks = bay.tracks(TAGS)
    assert len(tracks) == files
    for path in random.Random(3).sample(paths, sample):
        compare(tracks[str(path.relative_to(music))], path)


def compare(track: dict[str, Any], path: Path) -> None:
    """Compare each field with mutagen's easy interface."""
    file = mutagen.File(path, easy=True)

    def first(name: str) -> str | None:
        values = file.get(name) or []
        return values[0] if values else None

    def numbers(name: str) -> tuple[int | None, int | None]:
        number, _, total = (first(name) or "").partition("/")
        separate_total = first(name.replace("number", "total"))
        return (int(number) if number else None, int(total or separate_total or 0) or None)

    assert track["title"] == (first("title") or path.stem)
    assert track["titleIsFileName"] is (first("title") is None)
    assert track["artistCredit"] == first("artist")
    assert [genre["name"] for genre in track["genres"]] == list(file.get("genre") or [])
    assert track["releaseDate"] == first("date")
    assert track["year"] == (int(first("date")[:4]) if first("date") else None)  # type: ignore[index] # not None
    assert (track["trackNumber"], track["trackTotal"]) == numbers("tracknumber")
    assert (track["discNumber"], track["discTotal"]) == numbers("discnumber")
    if first("album"):
        assert track["album"]["title"] == first("album")
        assert track["album"]["artistCredit"] == first("albumartist")
    else:
        assert track["album"] is None
    credited = re.split(r" feat\. ", first("artist") or "")
    assert track["artists"] == credited
    assert track["durationS"] == pytest.approx(file.info.length, abs=1e-3)
    assert track["channels"] == file.info.channels
    assert track["sampleRateHz"] == getattr(file.info, "sample_rate", 48_000)
    expected = {"mp3": "mp3", "flac": "flac", "ogg": "ogg", "opus": "ogg", "m4a": "mp4"}
    assert track["container"] == expected[path.suffix[1:]]
