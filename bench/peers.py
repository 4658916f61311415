"""Other programs that scan music libraries: MPD and beets."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import tree_cpu_s

_ROOT = Path(__file__).parents[1]
_BEETS = _ROOT / ".engines" / f"beets-on-{platform.python_version()}"  # on the same Python as ours
_BEETS_VERSION = "2.14.1"
_WAIT_S = 900
_POLL_EVERY_S = 0.01


class Unavailable(Exception):
    """The program is not available here; the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time and CPU time of some work."""

    wall_s: float
    cpu_s: float


class Mpd:
    """A client of a running MPD."""

    def __init__(self, process: subprocess.Popen[bytes], address: Path) -> None:
        self._process = process
        self._address = address

    def update(self) -> Cost:
        """Scan the music folder."""
        cpu_s, began = tree_cpu_s(self._process.pid), time.perf_counter()
        self._send("update")
        while "updating_db" in self._send("status"):
            time.sleep(_POLL_EVERY_S)
        wall_s = time.perf_counter() - began
        return Cost(wall_s, tree_cpu_s(self._process.pid) - cpu_s)

    def songs(self) -> int:
        """The number of songs in its database."""
        stats = dict(
            line.split(": ", 1) for line in self._send("stats").splitlines() if ": " in line
        )
        return int(stats["songs"])

    def _send(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._address))
            lines = connection.makefile("r")
            lines.readline()
            connection.sendall(f"{command}\n".encode())
            answer = []
            for line in lines:
                if line.startswith("ACK"):
                    raise RuntimeError(f"MPD: {line}")
                if line == "OK\n":
                    break
                answer.append(line)
        return "".join(answer)


@contextmanager
def mpd(work: Path, music: Path, cores: Sequence[int]) -> Iterator[Mpd]:
    """Start MPD with an empty database and no audio output, then link `music` into its folder.

    Raises:
        Unavailable: it is not installed.
    """
    program = shutil.which("mpd")
    if program is None:
        raise Unavailable("MPD is not installed (Debian and Ubuntu: apt-get install mpd)")
    folder = work / "mpd"
    (folder / "music").mkdir(parents=True)
    config = folder / "mpd.conf"
    config.write_text(
        f'music_directory "{folder}/music"\ndb_file "{folder}/db"\nlog_file "{folder}/log"\n'
        f'bind_to_address "{folder}/socket"\nzeroconf_enabled "no"\n'
        'filesystem_charset "UTF-8"\naudio_output {\ntype "null"\nname "none"\n}\n'
    )
    command = [program, "--no-daemon", str(config)]
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(pinned(command, cores), stderr=errors)
    try:
        until = time.monotonic() + 30
        while not (folder / "socket").exists() and time.monotonic() < until:
            time.sleep(_POLL_EVERY_S)
        if not (folder / "socket").exists():
            raise Unavailable(
                f"MPD does not start: {(folder / 'errors').read_text().strip()[-300:]}"
            )
        running = Mpd(process, folder / "socket")
        running.update()  # of the empty folder: MPD is warm then
        (folder / "music" / "all").symlink_to(music)
        yield running
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def fetch_beets() -> Path:
    """Install beets into an environment of its own, if it is not there; the program.

    Raises:
        Unavailable: beets cannot be installed.
    """
    program = _BEETS / "bin" / "beet"
    if not program.exists():
        uv = str(_ROOT / ".uv" / "bin" / "uv")
        python = str(_BEETS / "bin" / "python")
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_BEETS)],
            [uv, "pip", "install", "--quiet", "--python", python, f"beets=={_BEETS_VERSION}"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unavailable(f"beets cannot be installed: {done.stderr.strip()[-300:]}")
    return program


def import_with_beets(work: Path, music: Path, cores: Sequence[int]) -> Cost:
    """Import without asking MusicBrainz, and without copying or writing files."""
    folder = work / "beets"
    folder.mkdir()
    (folder / "config.yaml").write_text(
        f"library: {folder}/library.db\ndirectory: {folder}/music\nplugins: []\n"
    )
    command = [str(fetch_beets()), "import", "-A", "-C", "-W", "-q", str(music)]
    before = os.times()
    began = time.perf_counter()
    subprocess.run(
        pinned(command, cores), check=True, timeout=_WAIT_S, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "BEETSDIR": str(folder)},
    )  # fmt: skip
    wall_s, after = time.perf_counter() - began, os.times()
    shutil.rmtree(folder)
    cpu_s = after.children_user + after.children_system
    return Cost(wall_s, cpu_s - before.children_user - before.children_system)


def pinned(command: Sequence[str], cores: Sequence[int]) -> list[str]:
    """The command, pinned to some of the machine's cores."""
    return ["taskset", "--cpu-list", ",".join(map(str, cores)), *command]
