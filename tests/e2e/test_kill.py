"""kill -9 of all processes at random moments: nothing is lost, and nothing is stored twice."""

import os
import random
import signal
import time
from pathlib import Path

from bench.generated_library import generate
from tests.e2e.running import ANALYSIS, JSON, TAGS, Bay

WHOLE = f"contentRevision stage {TAGS} {ANALYSIS} vectors {{ space model dimensions values }}"
COUNTS = "{ status { tracks analyzed vectorized indexed failed pending artists albums genres } }"


def state(bay: Bay) -> tuple[JSON, dict[str, JSON]]:
    bay.wait_until_idle(600)
    return bay.ask(COUNTS)["status"], bay.tracks(WHOLE)


def analyzed_at(bay: Bay) -> dict[str, str]:
    tracks = bay.tracks("analysis { analyzedAt }")
    return {path: t["analysis"]["analyzedAt"] for path, t in tracks.items() if t["analysis"]}


def test_after_kills_the_library_is_that_of_an_undisturbed_run(
    tmp_path: Path, thorough: bool
) -> None:
    files, kills = (500, 10) if thorough else (120, 4)
    music = tmp_path / "music"
    generate(music, files, seed=5)
    undisturbed = Bay(tmp_path / "undisturbed")
    began = time.monotonic()
    with undisturbed.serving("--music", str(music)):
        expected = state(undisturbed)
    whole_s = time.monotonic() - began

    chance = random.Random(7)
    killed = Bay(tmp_path / "killed")
    done: dict[str, str] = {}
    for _ in range(kills):
        with killed.serving("--music", str(music)) as process:
            now = analyzed_at(killed)
            assert {path: now[path] for path in done} == done, (
                "no stored analysis is computed again"
            )
            time.sleep(chance.uniform(0.0, whole_s / kills * 1.5))
            done = analyzed_at(killed)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with killed.serving("--music", str(music)):
        result = state(killed)
        now = analyzed_at(killed)
        assert {path: now[path] for path in done} == done
    assert result[0] == expected[0]
    assert result[1].keys() == expected[1].keys()
    for path, track in expected[1].items():
        assert result[1][path] == track, path
