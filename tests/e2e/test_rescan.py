"""A rescan reads what changed, and nothing else."""

import time
from collections.abc import Callable
from pathlib import Path

import mutagen

from bench.generated_library import generate
from tests.e2e.running import Bay

SCANS = "{ scans(first: 1) { state filesSeen filesRead filesUnchanged filesMissing filesFailed } }"
DONE = "id title updatedAt revision contentRevision analysis { analyzedAt }"


def test_a_second_run_reads_only_what_changed(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    paths = generate(music, 40)
    with bay.serving("--music", str(music)):
        bay.wait_until_idle()
        first = bay.tracks(DONE)
    assert len(first) == 40

    with bay.serving("--music", str(music)):
        bay.wait_until_idle()
        scan = bay.ask(SCANS)["scans"][0]
        assert (scan["filesRead"], scan["filesUnchanged"], scan["filesSeen"]) == (0, 40, 40)
        assert bay.tracks(DONE) == first

        flac = next(path for path in paths if path.suffix != ".m4a")
        file = mutagen.File(flac, easy=True)
        file["title"] = ["Quite another title"]
        file.save()
        paths[-1].unlink()
        gone = bay.command("scan", str(music), "--follow")
        assert gone.returncode == 0, gone.stderr
        bay.wait_until_idle()
        scan = bay.ask(SCANS)["scans"][0]
        assert (scan["filesRead"], scan["filesUnchanged"], scan["filesMissing"]) == (1, 38, 1)
        after = bay.tracks(DONE + " isMissing")
        # The sound is unchanged, so the analyses are, too.
        assert {p: t["analysis"] for p, t in after.items()} == {
            p: t["analysis"] for p, t in first.items()
        }
        changed = {path for path in first if after[path]["title"] != first[path]["title"]}
        assert changed == {str(flac.relative_to(music))}
        assert after[changed.pop()]["title"] == "Quite another title"
        missing = [path for path, track in after.items() if track["isMissing"]]
        assert missing == [str(paths[-1].relative_to(music))]
        status = bay.json("status")
        assert (status["tracks"], status["missing"], status["indexed"]) == (39, 1, 39)
        assert [hit["title"] for hit in bay.json("search", "quite another title")][:1] == [
            "Quite another title"
        ]


def test_changes_are_scanned_while_it_serves(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    first, second = generate(music, 2)
    outside = tmp_path / second.name
    second.rename(outside)
    with bay.serving("--watch", "--music", str(music)):
        bay.wait_until_idle()
        assert bay.json("status")["indexed"] == 1
        outside.rename(second)
        until(lambda: bay.json("status")["indexed"] == 2)
        first.unlink()
        until(lambda: bay.json("status")["missing"] == 1)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_command_line_explains_errors(bay: Bay, tmp_path: Path) -> None:
    assert bay.command("status").returncode == 1
    assert "soniquebay up" in bay.command("status").stderr
    assert bay.command("nonsense").returncode == 2
    assert bay.up("--music", str(tmp_path / "nowhere")).returncode == 2
    with bay.serving() as process:
        second = Bay(bay.data).up()
        assert second.returncode == 1
        assert "another `soniquebay up` uses" in second.stderr
        refused = bay.command("scan", str(tmp_path / "nowhere"), "--follow")
        assert refused.returncode == 1
        assert "nowhere" in refused.stdout + refused.stderr
        unknown = bay.command("show", "no such thing")
        assert unknown.returncode == 1
        assert "no track has the id, path or title 'no such thing'" in unknown.stderr
    assert process.returncode == 0
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    result = Bay(blocked / "data").up()
    assert result.returncode == 1
    assert "SONIQUEBAY_DATA_DIR" in result.stderr
