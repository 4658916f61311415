"""Bad files are listed failures with a reason; everything else is complete, and nothing hangs."""

from pathlib import Path

from tests.e2e.running import Bay
from tests.hostile_files import HOSTILE, make_hostile

ODD_NAME = "bad/caf\\xe9 \\xff.ogg"


def test_bad_files_are_listed_and_do_not_affect_others(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    good = make_hostile(music)
    with bay.serving("--music", str(music)):
        status = bay.wait_until_idle()
        tracks = bay.tracks("id stage title trackNumber year analysis { damaged }")
        failures = {failure["path"]: failure for failure in bay.json("failures")}
        assert status["failed"] == len(failures)
        for path in [*(str(file.relative_to(music)) for file in good), ODD_NAME]:
            assert tracks[path]["stage"] == "INDEXED", path
        for hostile in HOSTILE:
            path = f"bad/{hostile.name}"
            failure = failures.get(path)
            if hostile.message is None:
                assert failure is None
                assert tracks[path]["stage"] == "INDEXED"
            elif failure is None:
                assert hostile.message == "*", f"{path} did not fail"
                assert tracks[path]["stage"] == "INDEXED", path
            else:
                assert hostile.message.strip("*").lower() in failure["message"].lower(), failure
                assert hostile.name in failure["message"], "the message names the file"
                assert failure["kind"] in {"invalid", "transient"}, failure
        absurd = tracks["bad/absurd tags.mp3"]
        assert absurd["title"].startswith("Ab") or absurd["title"].startswith("A b")
        assert len(absurd["title"]) <= 1_000
        assert (absurd["trackNumber"], absurd["year"]) == (3, None)
        with_odd_name = tracks[ODD_NAME]["id"]
        assert bay.json("show", with_odd_name)["displayPath"] == ODD_NAME

    with bay.serving("--music", str(music)):  # unreadable files are not read again
        again = bay.wait_until_idle()
        assert again["failed"] == status["failed"]
        scan = bay.ask("{ scans(first: 1) { filesRead filesToRead filesUnchanged } }")["scans"][0]
        assert int(scan["filesRead"]) == 0


def test_concurrent_scans_nested_roots_and_a_missing_root(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    good = make_hostile(music)
    with bay.serving("--music", str(music)):
        for folder in (music, music, music / "good"):
            assert bay.command("scan", str(folder)).returncode == 0
        bay.wait_until_idle()
        tracks = bay.tracks("stage")
        indexed = [path for path, track in tracks.items() if track["stage"] == "INDEXED"]
        assert len(indexed) >= len(good)
        assert len(bay.ask("{ libraries { name root } }")["libraries"]) == 1
        refused = bay.command("scan", str(tmp_path / "nowhere"))
        assert refused.returncode == 1
        assert "nowhere does not exist" in refused.stdout
