"""Docker Compose, built with Go. It reads a compose file without a container engine.

`make engines` builds it into `.engines/compose`, in one to two minutes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fetch_debian import NotFetched

PACKAGE = "github.com/docker/compose/v5/cmd@v5.0.2"
PROGRAM = Path(__file__).parents[2] / ".engines" / "compose" / "docker-compose"
_TIMEOUT_S = 900


def fetch() -> Path:
    """The program, built if it is missing.

    Raises:
        NotFetched: it cannot be built here.
    """
    if not PROGRAM.exists():
        go = shutil.which("go")
        if go is None:
            raise NotFetched("there is no Go here to build it")
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PROGRAM.parent) as work:
            environment = {**os.environ, "GOBIN": work, "GOTOOLCHAIN": "local"}
            done = subprocess.run(
                [go, "install", "-ldflags=-s -w", PACKAGE],
                env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
            if done.returncode:
                raise NotFetched(f"go install: {done.stderr.strip().splitlines()[-1]}")
            (Path(work) / "cmd").rename(PROGRAM)
    return PROGRAM


class Refused(Exception):
    """Docker Compose rejects the file; the message is its own."""


def config(program: Path, files: list[Path], env_file: Path) -> dict[str, Any]:
    """The merged files in Docker Compose's canonical form.

    Raises:
        Refused: it rejects them.
    """
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    named = [part for file in files for part in ("--file", str(file))]
    done = subprocess.run(
        [program, *named, "--env-file", env_file, "config", "--format=json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as error:
        sys.exit(f"Docker Compose could not be built: {error}")
