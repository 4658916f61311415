"""A real Prometheus and promtool: Debian's package, unpacked but not installed.

`make engines` fetches it into `.engines/prometheus`. It needs apt, but not root.
"""

import json
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.fetch_debian import NotFetched, unpack

PACKAGE = "prometheus"
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".engines" / "prometheus"
OPS = ROOT / "ops" / "prometheus"
_START_S = 60
_LOOK_EVERY_S = 0.1


def fetch() -> Path:
    """The folder with the programs, fetched if it is missing.

    Raises:
        NotFetched: it cannot be fetched here.
    """
    programs = FOLDER / "usr" / "bin"
    if not (programs / "promtool").exists():
        unpack(PACKAGE, FOLDER)
    return programs


def configuration(targets: Mapping[str, Sequence[str]], broker: str | None = None) -> str:
    """The product's configuration, with targets in place of Docker's DNS discovery.

    Args:
        targets: service -> `host:port` of each of its processes.
        broker: `host:port` of the broker's metrics.
    """
    document: dict[str, Any] = yaml.safe_load((OPS / "prometheus.yml").read_text())
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document["rule_files"] = [str(OPS / "alerts.yml")]
    jobs = {job["job_name"]: job for job in document["scrape_configs"]}
    del jobs["soniquebay"]["dns_sd_configs"], jobs["prometheus"]
    jobs["soniquebay"]["static_configs"] = [
        {"targets": list(addresses), "labels": {"__meta_dns_name": service}}
        for service, addresses in targets.items()
    ]
    jobs["redpanda"]["static_configs"] = [{"targets": [broker] if broker else []}]
    document["scrape_configs"] = list(jobs.values())
    return yaml.safe_dump(document)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The current result of an expression.

        Raises:
            urllib.error.HTTPError: the expression is not valid.
        """
        result: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return result

    def targets(self) -> list[dict[str, Any]]:
        """The scraped targets, with health and last error."""
        found: list[dict[str, Any]] = self._get("targets", state="active")["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All alert rules, with health, state and last error."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, resource: str, **parameters: str) -> Any:
        url = f"{self.url}/api/v1/{resource}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]


@contextmanager
def running(programs: Path, configuration: Path, data: Path, port: int) -> Iterator[Prometheus]:
    """A server on loopback with its own data folder; its log is shown if it does not start."""
    log = data.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                programs / "prometheus", f"--config.file={configuration}",
                f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        give_up_s = time.monotonic() + _START_S
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > give_up_s:
                raise RuntimeError(f"Prometheus does not start:\n{log.read_text()}")
            time.sleep(_LOOK_EVERY_S)
        yield Prometheus(url)
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as error:
        shutil.rmtree(FOLDER, ignore_errors=True)
        sys.exit(f"Prometheus could not be fetched: {error}")
