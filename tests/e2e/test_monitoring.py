"""Prometheus scrapes the five services, and answers the queries of all panels and alerts."""

import asyncio
import json
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from tests.e2e.cluster import SERVICES, Cluster, cluster_in, eventually
from tests.engines import kafka, prometheus
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched

ROOT = Path(__file__).parents[2]
BOARDS = [json.loads(path.read_text()) for path in sorted(ROOT.glob("ops/grafana/dashboards/*"))]
RULES = yaml.safe_load((prometheus.OPS / "alerts.yml").read_text())

_NO_REDPANDA = "the tests' broker is Apache Kafka, which has no metrics over HTTP"
_NO_PROBLEM = "nothing is wrong in this run"
EMPTY_ANSWERS = {
    "cluster: Broker": _NO_REDPANDA,
    "cluster: Broker's free disk": _NO_REDPANDA,
    "overview: Breakers": "neither Ollama nor AcoustID is used here, so there is no breaker",
    "one service: Given up a second": "the analyzer gave nothing up",
    "one service: Batches run again a second": "no batch of the analyzer was run again",
    **{
        f"alert: {rule['alert']}": _NO_PROBLEM
        for group in RULES["groups"]
        for rule in group["rules"]
        if rule["alert"] != "ErrorShare"  # two bad records of three: see the fixture
    },
}
"""Queries that find no series in this run, and why."""


def filled_in(expression: str, board: dict[str, Any]) -> str:
    """The expression with the default values of the dashboard's variables."""
    for variable in board["templating"]["list"]:
        expression = expression.replace(f"${variable['name']}", variable["current"]["value"])
    assert "$" not in expression
    return expression


def queries() -> Iterator[Any]:
    """The queries of each panel and the expression of each alert, with a name."""
    for board in BOARDS:
        for panel in board["panels"]:
            where = f"{board['title'].removeprefix('SoniqueBay: ')}: {panel['title']}"
            for target in panel["targets"]:
                yield pytest.param(where, filled_in(target["expr"], board), id=where)
    for group in RULES["groups"]:
        for rule in group["rules"]:
            where = f"alert: {rule['alert']}"
            yield pytest.param(where, rule["expr"], id=where)


QUERIES = list(queries())


@dataclass(frozen=True, slots=True)
class Watched:
    """A cluster, and the Prometheus that scrapes it."""

    cluster: Cluster
    prometheus: prometheus.Prometheus


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, demo_music: Path) -> Iterator[Watched]:
    """Process the demo library and two malformed records while Prometheus scrapes."""
    try:
        kafka.fetch()
        programs = prometheus.fetch()
    except NotFetched as error:
        pytest.skip(f"Kafka or Prometheus is not available here: {error}")
    folder = tmp_path_factory.mktemp("watched")
    with cluster_in(folder) as cluster:
        cluster.start()
        targets = {
            service: [f"127.0.0.1:{member.health_port}" for member in cluster.running(service)]
            for service in SERVICES
        }
        (folder / "prometheus.yml").write_text(prometheus.configuration(targets))
        with prometheus.running(
            programs, folder / "prometheus.yml", folder / "data", free_port()
        ) as server:
            watched = Watched(cluster, server)
            given_up = 'soniquebay_bus_records_dead_total{stage="extractor.walk"}'
            for count in (1, 2):  # Prometheus sees no increase in the first value of a counter
                asyncio.run(_publish_malformed(cluster.broker.address))
                _wait_for(watched, f"{given_up} == {count}")
            cluster.json("scan", str(demo_music))
            cluster.wait_until_idle()
            yield watched


async def _publish_malformed(servers: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait("scan.requested", b"{not json", key=b"me")


def _wait_for(watched: Watched, expression: str) -> None:
    """Wait for a series: targets are scraped each second, the api counts four times a minute."""
    eventually(lambda: bool(watched.prometheus.query(expression)), lambda: expression)


def test_all_five_services_are_scraped_under_their_names(watched: Watched) -> None:
    targets = watched.prometheus.targets()
    assert {target["labels"]["service"]: target["health"] for target in targets} == dict.fromkeys(
        SERVICES, "up"
    )


@pytest.mark.parametrize(("where", "expression"), QUERIES)
def test_the_queries_of_panels_and_alerts_are_answered(
    watched: Watched, where: str, expression: str
) -> None:
    try:
        if where not in EMPTY_ANSWERS:
            _wait_for(watched, expression)
        else:
            # Eventually: lag is counted at intervals, so the last record may still be in it.
            eventually(
                lambda: watched.prometheus.query(expression) == [],
                lambda: f"{EMPTY_ANSWERS[where]}: {watched.prometheus.query(expression)}",
            )
    except urllib.error.HTTPError as error:
        pytest.fail(f"{expression}: {error.read().decode()}")


def test_no_rule_has_an_error(watched: Watched) -> None:
    rules = watched.prometheus.rules()
    alerts = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}
    assert {rule["name"] for rule in rules} == alerts
    assert {rule["name"]: rule.get("lastError", "") for rule in rules} == dict.fromkeys(alerts, "")


def test_the_list_of_empty_answers_names_existing_queries() -> None:
    assert set(EMPTY_ANSWERS) <= {str(param.values[0]) for param in QUERIES}
