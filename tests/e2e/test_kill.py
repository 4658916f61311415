"""kill -9 of everything at random moments: in the end nothing is lost and nothing is doubled."""

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
    told = bay.tracks("analysis { analyzedAt }")
    return {path: t["analysis"]["analyzedAt"] for path, t in told.items() if t["analysis"]}


def test_after_kills_the_tables_are_those_of_an_undisturbed_run(
    tmp_path: Path, thorough: bool
) -> None:
    files, kills = (500, 10) if thorough else (120, 4)
    music = tmp_path / "music"
    generate(music, files, seed=5)
    calm = Bay(tmp_path / "calm")
    began = time.monotonic()
    with calm.serving("--music", str(music)):
        truth = state(calm)
    whole_s = time.monotonic() - began

    chance = random.Random(7)
    harried = Bay(tmp_path / "harried")
    done: dict[str, str] = {}
    for _ in range(kills):
        with harried.serving("--music", str(music)) as process:
            now = analyzed_at(harried)
            assert {path: now[path] for path in done} == done, "no stored analysis is made again"
            time.sleep(chance.uniform(0.0, whole_s / kills * 1.5))
            done = analyzed_at(harried)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with harried.serving("--music", str(music)):
        found = state(harried)
        now = analyzed_at(harried)
        assert {path: now[path] for path in done} == done
    assert found[0] == truth[0]
    assert found[1].keys() == truth[1].keys()
    for path, track in truth[1].items():
        assert found[1][path] == track, path
