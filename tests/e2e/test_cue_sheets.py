"""An album in one file with a cue sheet, and an audiobook with chapters, from scan to search."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.e2e.running import ANALYSIS, Bay
from tests.unit.services.extractor.test_chapters import TITLES
from tests.unit.services.extractor.test_chapters import write as write_book

RATE_HZ = 22_050
PART_S = 12
PARTS = (("Slow", 80, 0.05), ("Middle", 110, 0.2), ("Fast", 150, 0.8))
"""Title, clicks a minute, and level of each track."""
_ASK = "id part { number startS endS cueSheet } title durationS stage isMissing"
_SCANS = "{ scans(first: 1) { filesSeen filesRead filesUnchanged } }"


def clicks(tempo_bpm: float, level: float, pitch_hz: float) -> np.ndarray[Any, Any]:
    """A tone with clicks, which another seed, tempo and level tell from all others."""
    times = np.arange(RATE_HZ * PART_S) / RATE_HZ
    since_click = times % (60 / tempo_bpm)
    noise = np.random.default_rng(int(tempo_bpm)).standard_normal(len(times))
    tone = 0.2 * np.sin(2 * np.pi * pitch_hz * times)
    return np.asarray(level * (tone + noise * np.exp(-since_click * 60) / 4)).clip(-1, 1)


def write_music(root: Path) -> None:
    """An album in one file, beside it its tracks as files of their own, and an audiobook."""
    parts = [clicks(bpm, level, 220 * (n + 2)) for n, (_, bpm, level) in enumerate(PARTS)]
    (root / "image").mkdir(parents=True)
    (root / "files").mkdir()
    soundfile.write(root / "image/album.flac", np.concatenate(parts), RATE_HZ)
    for (title, _, _), samples in zip(PARTS, parts, strict=True):
        soundfile.write(root / f"files/{title}.flac", samples, RATE_HZ)
    write_book(root / "book.m4b")


def sheet(*titles: str) -> str:
    """The cue sheet of the album."""
    lines = ['PERFORMER "Ines"', 'TITLE "Whole Evening"', 'FILE "album.wav" WAVE']
    for n, title in enumerate(titles):
        lines += [f"  TRACK {n + 1:02} AUDIO", f'    TITLE "{title}"']
        lines += [f"    INDEX 01 00:{n * PART_S:02}:00"]
    return "\n".join(lines)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, for a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def listed(bay: Bay, fields: str) -> dict[str, dict[str, Any]]:
    """All tracks that are not missing, by title."""
    query = f"{{ tracks(first: 200) {{ edges {{ node {{ displayPath title {fields} }} }} }} }}"
    nodes = [edge["node"] for edge in bay.ask(query)["tracks"]["edges"]]
    return {f"{node['displayPath'].partition('/')[0]}/{node['title']}": node for node in nodes}


def test_each_part_is_analysed_as_a_file_of_its_own_would_be(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    write_music(music)
    cue = music / "image/album.cue"
    cue.write_text(sheet("Slow", "Middle", "Fast"))
    with bay.serving("--watch", "--music", str(music)):
        status = bay.wait_until_idle()
        assert (status["tracks"], status["files"], status["indexed"]) == (7, 5, 7)
        tracks = listed(bay, f"{_ASK} {ANALYSIS}")
        for n, (title, _, _) in enumerate(PARTS):
            part, file = tracks[f"image/{title}"], tracks[f"files/{title}"]
            assert part["part"]["number"] == n + 1
            assert part["durationS"] == pytest.approx(PART_S)
            assert part["analysis"]["analyzedDurationS"] == PART_S
            # The same samples, so every field is the same.
            assert part["analysis"] == file["analysis"]
        found = [tracks[f"image/{title}"]["analysis"] for title, _, _ in PARTS]
        assert found[0]["loudnessLufs"] < found[1]["loudnessLufs"] < found[2]["loudnessLufs"]
        assert len({each["fingerprint"] for each in found}) in {1, 3}  # 1: no libchromaprint

        # Words lead to the part, and a chapter's to the book, which stays one track.
        assert [hit["title"] for hit in bay.json("search", "middle ines")] == ["Middle"]
        assert [hit["title"] for hit in bay.json("search", "zweites kapitel")] == ["book"]
        shown = bay.command("show", tracks["image/Middle"]["id"]).stdout
        assert "0:12.00 to 0:24.00, by the cue sheet album.cue" in shown
        assert TITLES[1] in bay.command("show", "book").stdout

        # Nothing has changed for a scan, and a watched cue sheet is noticed.
        assert bay.command("scan", str(music), "--follow").returncode == 0
        scan = bay.ask(_SCANS)["scans"][0]
        assert (scan["filesSeen"], scan["filesRead"], scan["filesUnchanged"]) == (5, 0, 5)
        cue.write_text(sheet("Slow", "Renamed", "Fast"))
        until(lambda: "image/Renamed" in listed(bay, "id"))
        cue.unlink()
        until(lambda: "image/album" in listed(bay, "id"))
        status = bay.wait_until_idle()
        assert (status["tracks"], status["files"], status["missing"]) == (5, 5, 0)
        whole = listed(bay, f"{_ASK} {ANALYSIS}")["image/album"]
        assert whole["part"] is None
        assert whole["analysis"]["analyzedDurationS"] == PART_S * len(PARTS)
        assert [hit["title"] for hit in bay.json("search", "renamed")] == []
