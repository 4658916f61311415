"""Servers whose jars are on Maven Central: fetched once, run as child processes."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from tests.fetch_debian import NotFetched

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".engines"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_TIMEOUT_S = 600
_START_TIMEOUT_S = 90
_LOOK_EVERY_S = 0.05
_PR_SET_PDEATHSIG = 1
_STARTER = ThreadPoolExecutor(1, "starts servers")


def fetch_jars(name: str) -> Path:
    """The folder with the jars that `tests/engines/<name>/pom.xml` lists, fetched if missing.

    Raises:
        NotFetched: they cannot be fetched here.
    """
    jars = FOLDER / name / "lib"
    if jars.is_dir():
        return jars
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NotFetched(f"there is no {program} here")
    staged = FOLDER / name / f".lib-{os.getpid()}"
    pom = ROOT / "tests" / "engines" / name / "pom.xml"
    command = ["mvn", "-q", "-B", "-f", str(pom), _COPY, "-DincludeScope=runtime",
               f"-DoutputDirectory={staged}"]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetched("Maven took too long") from error
    if done.returncode:
        shutil.rmtree(staged, ignore_errors=True)
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise NotFetched(f"Maven: {lines[0] if lines else 'no reason given'}")
    staged.rename(jars)
    return jars


class Server:
    """A server process on a port of this machine; it ends with its parent.

    Args:
        command: the command line.
        port: where it listens once it is ready.
        log: the file for its output; shown if it does not start.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it on its data; return when it accepts connections."""
        with self._log.open("ab") as out:
            self._process = spawn(self._command, out)
        give_up_s = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_s:
                self.kill()
                raise RuntimeError(f"it does not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(_LOOK_EVERY_S)

    def stop(self) -> None:
        """Send SIGTERM, and wait."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, and wait."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def spawn(
    command: Sequence[str], out: IO[bytes], *, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child process that writes to a file; it is killed when this process ends.

    Linux kills it when the *thread* that started it ends, so one thread starts all: a test's own
    thread may end before the tests do.
    """

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - it calls nothing that takes a lock
        )  # fmt: skip

    return _STARTER.submit(start).result()


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
