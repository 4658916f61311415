"""`soniquebay` as a user runs it: as a process, controlled by its commands and by GraphQL."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic.alias_generators import to_camel as camel

from shared.contracts.analysis import Analysis
from shared.contracts.meaning import SCORES

PROGRAM = str(Path(sys.executable).parent / "soniquebay")
_ADDRESS = re.compile(r"the gateway is at (http://\S+)/graphql")
_START_TIMEOUT_S = 120
JSON = dict[str, Any]


class Served:
    """A running gateway, used by commands and by GraphQL."""

    def __init__(self) -> None:
        self.url = ""
        self.token = ""

    def environment(self) -> dict[str, str]:
        """The environment of a command, without the settings of the tests' own environment."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SONIQUEBAY_")}
        if self.url:
            environment["SONIQUEBAY_GATEWAY_URL"] = self.url
        if self.token:
            environment["SONIQUEBAY_TOKEN"] = self.token
        return environment

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command against this gateway."""
        return subprocess.run(
            [PROGRAM, *arguments], env=self.environment(), text=True, capture_output=True,
            timeout=60, check=False,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        """Run a command with `--json`; the document that it prints."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, query: str, **variables: object) -> JSON:
        """Run a GraphQL document; its `data`."""
        request = {"query": query, "variables": variables}
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        body = httpx.post(f"{self.url}/graphql", json=request, headers=headers, timeout=60).json()
        assert "errors" not in body, body
        data: JSON = body["data"]
        return data

    def wait_until_idle(self, timeout_s: float = 240) -> JSON:
        """Wait until all work is done; `soniquebay status --json`.

        Until then it polls by GraphQL: starting a command would take CPU time from the work.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.ask("{ status { activeScans pending } }")["status"]
            if not found["activeScans"] and not found["pending"]:
                status: JSON = self.json("status")
                return status
            assert time.monotonic() < deadline, found
            time.sleep(0.3)

    def tracks(self, fields: str) -> dict[str, JSON]:
        """All tracks with these fields, by path."""
        found: dict[str, JSON] = {}
        after = None
        query = f"""query All($after: String) {{
          tracks(first: 200, after: $after, filter: {{ isMissing: null }}) {{
            pageInfo {{ hasNextPage endCursor }}
            edges {{ node {{ displayPath {fields} }} }} }} }}"""
        while True:
            page = self.ask(query, after=after)["tracks"]
            found |= {edge["node"].pop("displayPath"): edge["node"] for edge in page["edges"]}
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


class Bay(Served):
    """A data folder, and the programs that run on it."""

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._settings = dict(settings or {})
        self.data = data

    def environment(self) -> dict[str, str]:
        """The environment of a program: the data folder, and any free port."""
        environment = {"SONIQUEBAY_DATA_DIR": str(self.data), "SONIQUEBAY_PORT": "0"}
        environment["SONIQUEBAY_WATCH"] = "false"  # only the scans that a test requests
        return super().environment() | environment | self._settings

    def up(self, *arguments: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        """Run `soniquebay up ... --until-idle` to its end."""
        return subprocess.run(
            [PROGRAM, "up", *arguments, "--until-idle"], env=self.environment(), text=True,
            capture_output=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run `soniquebay up ...` until the block ends; then send SIGINT and wait."""
        log = self.data.with_suffix(".log")
        with log.open("w") as out:
            process = subprocess.Popen(
                [PROGRAM, "up", *arguments], env=self.environment(), stdout=out, stderr=out,
                text=True, start_new_session=True,
            )  # fmt: skip
        try:
            self.url = _wait_for_address(process, log)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(90)
            self.url = ""


def _wait_for_address(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        if found := _ADDRESS.search(log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


TAGS = """
  title titleIsFileName artistCredit artists credits { role creditedAs joinPhrase artist { name } }
  album { title artistCredit isCompilation year trackCount } genres { name } year releaseDate
  trackNumber trackTotal discNumber discTotal container codec durationS sampleRateHz channels
  isMissing cover { sha256 }
"""
_PARTS = {
    "key_changes": "{ timeS key mode }",
    "meaning": "{ model version patches genre genreConfidence tags { name score } embedding "
    + " ".join(f"{name} {{ score confidence }}" for name in SCORES)
    + " }",
}
ANALYSIS = "analysis {{ {} }}".format(
    " ".join(f"{camel(name)} {_PARTS.get(name, '')}" for name in Analysis.model_fields)
)
"""Every field of an analysis."""
