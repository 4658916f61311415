"""The audit of GraphQL over HTTP: npm's graphql-http, run by Node.

`make engines` fetches it into `.engines/graphql-audit`. It needs node and npm.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fetch_debian import NotFetched

PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
FOLDER = Path(__file__).parents[2] / ".engines" / "graphql-audit"
_TIMEOUT_S = 240
# Each on a line: how severe a failure is ("ok", "notice", "warn", "error"), the name, the reason.
_SCRIPT = """
const { serverAudits } = require('graphql-http');
(async () => {
  for (const audit of serverAudits({ url: process.argv[1], fetchFn: fetch })) {
    const { status, name, reason } = await audit.fn();
    console.log(JSON.stringify([status, name, reason ?? '']));
  }
})();
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of one audit: `is_passed`, or why not."""

    name: str
    is_passed: bool
    reason: str


def fetch() -> Path:
    """The folder with the packages, fetched if it is missing.

    Raises:
        NotFetched: there is no node or npm here, or npm failed.
    """
    if not (FOLDER / "node_modules" / "graphql-http").exists():
        if not shutil.which("node") or not shutil.which("npm"):
            raise NotFetched("there is no node or npm here")
        FOLDER.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as work:
            command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", work, *PACKAGES]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise NotFetched("npm took too long") from error
            if done.returncode:
                raise NotFetched(
                    f"npm install: {(done.stderr.strip() or 'failed').splitlines()[0]}"
                )
            shutil.rmtree(FOLDER, ignore_errors=True)
            shutil.copytree(work, FOLDER, symlinks=True)
    return FOLDER


def command(folder: Path, url: str) -> tuple[list[str], dict[str, str]]:
    """The command that audits a server, and its environment."""
    environment = {**os.environ, "NODE_PATH": str(folder / "node_modules")}
    return ["node", "-e", _SCRIPT, url], environment


def results(output: str) -> list[Audit]:
    """What the command printed."""
    lines = [json.loads(line) for line in output.splitlines()]
    return [Audit(name, status == "ok", reason) for status, name, reason in lines]


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as error:
        sys.exit(f"The audit of GraphQL over HTTP could not be fetched: {error}")
