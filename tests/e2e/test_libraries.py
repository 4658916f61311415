"""A library's folder is moved, and a library is removed, as a person does both."""

import os
import signal
import time
from pathlib import Path

from bench.generated_library import generate
from tests.e2e.running import Bay

KEPT = "id path revision contentRevision correction { tempoBpm } analysis { analyzedAt }"
SCANS = "{ scans(first: 1) { state filesSeen filesRead filesUnchanged } }"
FOUND = "query($t: String!) { search(text: $t, first: 100) { totalCount hits { track { id } } } }"


def test_after_a_move_the_next_scan_reads_nothing_and_every_track_is_the_same(
    bay: Bay, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new music"
    generate(old, 12, seed=3)
    with bay.serving("--music", str(old)):
        bay.wait_until_idle()
        title = next(iter(bay.tracks("title").values()))["title"]
        track = next(iter(bay.tracks("id").values()))["id"]
        assert bay.command("correct", track, "--tempo", "99").returncode == 0
        bay.wait_until_idle()
        before = bay.tracks(KEPT)
    old.rename(new)

    doubled = bay.up("--music", str(new))
    assert doubled.returncode == 1
    command = f"soniquebay library move old '{new}'"
    assert command in doubled.stderr.replace("\n", "")

    with bay.serving():
        assert bay.tracks(KEPT) == before
        moved = bay.command("library", "move", "old", str(new))
        assert moved.returncode == 0, moved.stderr
        bay.wait_until_idle()
        assert bay.ask(SCANS)["scans"][0] == {
            "state": "FINISHED", "filesSeen": 12, "filesRead": 0, "filesUnchanged": 12,
        }  # fmt: skip
        assert bay.tracks(KEPT) == before
        assert [each["root"] for each in bay.json("library", "list")] == [str(new)]
        assert bay.ask(FOUND, t=title)["search"]["totalCount"] >= 1

    again = bay.up("--music", str(new))
    assert again.returncode == 0, again.stderr
    with bay.serving():
        assert bay.tracks(KEPT) == before


def test_a_removal_that_is_killed_goes_on_and_leaves_the_other_library_as_it_was(
    bay: Bay, tmp_path: Path
) -> None:
    kept, mistaken = tmp_path / "kept", tmp_path / "mistaken"
    generate(kept, 8, seed=3)
    generate(mistaken, 40, seed=4)
    with bay.serving("--music", str(kept)):
        bay.wait_until_idle()
        before, status = bay.tracks(KEPT), bay.json("status")
        done = bay.command("scan", str(mistaken), "--follow")
        assert done.returncode == 0, done.stderr
        bay.wait_until_idle()
    titles = [track["title"] for track in bay_tracks(bay, "title", mistaken)]
    with bay.serving() as process:
        (id_,) = [one["id"] for one in bay.json("library", "list") if one["name"] == "mistaken"]
        refused = bay.command("library", "remove", "nothing", "--yes")
        assert refused.returncode == 1
        bay.ask(
            'mutation($id: ID!) { removeLibrary(id: $id, name: "mistaken") { error { message } } }',
            id=id_,
        )
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with bay.serving():
        deadline = time.monotonic() + 60
        while len(bay.json("library", "list")) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        # Genres without tracks are deleted within a minute.
        assert {**bay.wait_until_idle(), "genres": status["genres"]} == status
        assert bay.tracks(KEPT) == before
        for title in titles:
            wait_until_all_hits_exist(bay, title)
        removed = bay.command("library", "remove", "kept", "--yes")
        assert removed.returncode == 0, removed.stderr
        assert bay.tracks("id") == {}
    assert len(list(kept.rglob("*.*"))) >= 8


def wait_until_all_hits_exist(bay: Bay, text: str) -> None:
    """Wait until the index has no deleted track among its hits; it follows within seconds."""
    deadline = time.monotonic() + 60
    while True:
        found = bay.ask(FOUND, t=text)["search"]
        if found["totalCount"] == len(found["hits"]):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def bay_tracks(bay: Bay, fields: str, root: Path) -> list[dict[str, str]]:
    """The tracks of the library with this root."""
    with bay.serving():
        found = bay.tracks(f"{fields} library {{ root }}").values()
        return [track for track in found if track["library"]["root"] == str(root)]


def test_a_mistyped_folder_makes_no_library(bay: Bay, tmp_path: Path) -> None:
    with bay.serving():
        for folder in (tmp_path / "nowhere", tmp_path / "a file"):
            (tmp_path / "a file").write_text("x")
            scan = bay.command("scan", str(folder))
            assert scan.returncode == 1
            assert str(folder) in scan.stdout + scan.stderr
        assert bay.json("library", "list") == []


def test_a_library_is_renamed_and_a_track_that_is_gone_for_good_is_purged(
    bay: Bay, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    (gone, *rest) = generate(music, 3, seed=3)
    with bay.serving("--music", str(music)):
        bay.wait_until_idle()
        assert bay.json("library", "rename", "music", "My music")["name"] == "My music"
        gone.unlink()
        assert bay.command("scan", str(music / "nowhere" / ".."), "--follow").returncode == 0
        deadline = time.monotonic() + 30
        while not bay.json("status")["missing"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        nothing = bay.json("purge", "--older-than", "1", "--yes")
        assert nothing == {"purged": 0}
        unknown = bay.command("purge", "--older-than", "0", "--library", "music", "--yes")
        assert (unknown.returncode, "'My music'" in unknown.stderr) == (1, True)
        purged = bay.json("purge", "--older-than", "0", "--library", "My music", "--yes")
        assert purged == {"purged": 1}
        assert set(bay.tracks("id")) == {str(path.relative_to(music)) for path in rest}
        (listed,) = bay.json("library", "list")
        assert (listed["name"], listed["trackCount"]) == ("My music", 2)
