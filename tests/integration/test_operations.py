"""Prometheus accepts the configuration, the alerts and the queries of all dashboards."""

import json
import subprocess
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, start_http_server

from ops.dashboards import DASHBOARDS
from shared.runtime.metrics import DECLARATIONS
from tests.engines.ports import free_port
from tests.engines.prometheus import OPS, Prometheus, configuration, fetch, running
from tests.fetch_debian import NotFetched

QUERIES = [
    pytest.param(target["expr"].replace("$service", "analyzer"), id=f"{name}: {panel['title']}")
    for name, board in DASHBOARDS.items()
    for panel in board["panels"]
    for target in panel["targets"]
]
_SCRAPED_WITHIN_S = 30


@pytest.fixture(scope="session")
def programs() -> Path:
    try:
        return fetch()
    except NotFetched as error:
        pytest.skip(f"Prometheus is not available here: {error}")


@pytest.fixture(scope="module")
def prometheus(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that scrapes this process, which has all metrics, as if it were an analyzer."""
    for declared in DECLARATIONS:
        if declared.labels:
            declared.metric.labels(*("any" for _ in declared.labels))
    folder = tmp_path_factory.mktemp("prometheus")
    server, thread = start_http_server(free_port(), addr="127.0.0.1", registry=REGISTRY)
    address = f"127.0.0.1:{server.server_port}"
    (folder / "prometheus.yml").write_text(configuration({"analyzer": [address]}, broker=address))
    try:
        with running(
            programs, folder / "prometheus.yml", folder / "data", free_port()
        ) as prometheus:
            _wait_until_scraped(prometheus)
            yield prometheus
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _wait_until_scraped(prometheus: Prometheus) -> None:
    give_up_s = time.monotonic() + _SCRAPED_WITHIN_S
    while not prometheus.query('count_over_time(up{service="analyzer"}[1m]) > 2'):
        assert time.monotonic() < give_up_s, json.dumps(prometheus.targets(), indent=1)
        time.sleep(0.2)


def test_the_configuration_is_valid(programs: Path) -> None:
    subprocess.run([programs / "promtool", "check", "config", OPS / "prometheus.yml"], check=True)


def test_every_alert_fires_only_when_it_must(programs: Path) -> None:
    done = subprocess.run(
        [programs / "promtool", "test", "rules", OPS / "alerts.test.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_target_is_labelled_with_its_service(prometheus: Prometheus) -> None:
    (target,) = (each for each in prometheus.targets() if each["labels"]["job"] == "soniquebay")
    assert target["health"] == "up", target["lastError"]
    assert target["labels"]["service"] == "analyzer"


@pytest.mark.parametrize("query", QUERIES)
def test_a_panels_query_is_valid(prometheus: Prometheus, query: str) -> None:
    try:
        prometheus.query(query)
    except urllib.error.HTTPError as error:
        pytest.fail(f"{query}: {error.read().decode()}")


def test_every_alert_can_be_evaluated(prometheus: Prometheus) -> None:
    assert {
        rule["name"]: rule["lastError"] for rule in prometheus.rules() if "lastError" in rule
    } == {}
    assert prometheus.rules()
