"""A real OpenSearch: one node on loopback, started from its libraries, with its own data."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.engines.jars import FOLDER, ROOT, Server, fetch_jars
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched

_SOURCE = ROOT / "tests" / "engines" / "opensearch" / "Node.java"
_CLASSES = FOLDER / "opensearch" / "classes"
_JAVA = ("java", "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
         "-Dlog4j2.level=WARN")  # fmt: skip
_START_TIMEOUT_S = 90
_LOOK_EVERY_S = 0.05


def fetch() -> Path:
    """The folder with the node's jars. The launcher, Node.java, is compiled next to it.

    Raises:
        NotFetched: they cannot be fetched or compiled here.
    """
    jars = fetch_jars("opensearch")
    compiled = _CLASSES / "Node.class"
    if not compiled.exists() or compiled.stat().st_mtime < _SOURCE.stat().st_mtime:
        _compile(jars)
    return jars


class Node(Server):
    """A node; after a stop or a kill it can start again on the same data."""

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Start it; return when its indexes can be searched and written."""
        super().start()
        give_up_s = time.monotonic() + _START_TIMEOUT_S
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        while True:
            try:
                with urllib.request.urlopen(health, timeout=5):
                    return
            except OSError:
                if time.monotonic() > give_up_s:
                    raise
                time.sleep(_LOOK_EVERY_S)


def node(jars: Path, folder: Path, *settings: str) -> Node:
    """A node with its data below a folder; not started yet.

    Args:
        jars: the result of `fetch`.
        folder: a new one, or the folder of a node that ended.
        settings: further settings of OpenSearch, as `name=value`.
    """
    (folder / "config").mkdir(parents=True, exist_ok=True)
    port = free_port()
    path = f"{_CLASSES}{os.pathsep}{jars}/*"
    command = [*_JAVA, "-cp", path, "Node", str(folder), str(port), *settings]
    return Node(command, port, folder / "node.log")


def _compile(jars: Path) -> None:
    if shutil.which("javac") is None:
        raise NotFetched("there is no javac here")
    _CLASSES.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["javac", "-nowarn", "-cp", f"{jars}/*", "-d", str(_CLASSES), str(_SOURCE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotFetched(f"javac: {done.stderr.strip()[:500]}")


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as error:
        sys.exit(f"OpenSearch could not be fetched: {error}")
