"""Fetch a Debian package and unpack it without installing it. It needs apt, but not root."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_TIMEOUT_S = 240


class NotFetched(Exception):
    """Something is not available here; the message says why."""


def unpack(package: str, folder: Path) -> None:
    """Unpack a package's files into a folder, all or nothing. The old content is replaced.

    Raises:
        NotFetched: there is no apt here, or it failed.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise NotFetched("there is no apt here")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as work:
        staged = Path(work) / "tree"
        _run(["dpkg", "-x", str(_download(package, Path(work))), str(staged)], work)
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)


def _download(package: str, work: Path) -> Path:
    try:
        _run(["apt-get", "download", package], work)
    except NotFetched:  # the package lists may be old or missing: update a private copy
        lists, cache = work / "lists", work / "cache"
        (lists / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        options = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        _run(["apt-get", *options, "update"], work)
        _run(["apt-get", *options, "download", package], work)
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
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise NotFetched(f"{' '.join(command[:2])}: {last}")
