"""Fetch real music for the tests: Debian's wesnoth-1.16-music, some 40 Ogg Vorbis files.

`make music` runs it; it needs apt and no root. The music is licensed under the GPL 2 or later and
Creative Commons BY-SA 4.0 and is never part of this project.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "wesnoth-1.16-music"
FOLDER = Path(__file__).parents[1] / ".music" / "wesnoth"
_TIMEOUT_S = 240


class NotFetched(Exception):
    """The music cannot be had here; the message says why."""


def fetch() -> Path:
    """The folder with the music, fetched where it is not there yet."""
    if next(FOLDER.rglob("*.ogg"), None) is None:
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise NotFetched("there is no apt here")
        with tempfile.TemporaryDirectory() as work:
            package = _download(Path(work))
            staged = Path(work) / "tree"
            _run(["dpkg", "-x", str(package), str(staged)], work)
            FOLDER.parent.mkdir(exist_ok=True)
            shutil.rmtree(FOLDER, ignore_errors=True)
            shutil.copytree(next(staged.rglob("music")), FOLDER)
    return FOLDER


def _download(work: Path) -> Path:
    try:
        _run(["apt-get", "download", PACKAGE], work)
    except NotFetched:  # the lists may be old or missing: update a private copy of them
        lists, cache = work / "lists", work / "cache"
        (lists / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        options = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        _run(["apt-get", *options, "update"], work)
        _run(["apt-get", *options, "download", PACKAGE], work)
    return next(work.glob("*.deb"))


def _run(command: list[str], cwd: Path | str) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{command[0]} took too long") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason told").splitlines()[-1]
        raise NotFetched(f"{' '.join(command[:2])}: {last}")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{fetch()}\n")
    except NotFetched as error:
        sys.exit(f"{PACKAGE} could not be fetched: {error}")
