"""What operators see: Prometheus asks the five services, and each panel and alert is answered."""

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

_NO_REDPANDA = "the tests' broker is Apache's, which tells nothing over HTTP"
_ALL_WELL = "all is well"
ANSWERED_BY_NOTHING = {
    "cluster: Broker": _NO_REDPANDA,
    "cluster: Broker's free disk": _NO_REDPANDA,
    "overview: Breakers": "neither Ollama nor AcoustID is asked here, so none has a breaker",
    "one service: Given up a second": "the analyzer gave nothing up",
    "one service: Batches run again a second": "no batch of the analyzer was run again",
    **{
        f"alert: {rule['alert']}": _ALL_WELL
        for group in RULES["groups"]
        for rule in group["rules"]
        if rule["alert"] != "ErrorShare"  # two bad records of three: see the fixture
    },
}
"""What finds no series on this run, and why."""


def filled_in(expression: str, board: dict[str, Any]) -> str:
    """With the dashboard's variables as it shows them first."""
    for variable in board["templating"]["list"]:
        expression = expression.replace(f"${variable['name']}", variable["current"]["value"])
    assert "$" not in expression
    return expression


def asked() -> Iterator[Any]:
    """Each panel's queries and each alert's expression, with a name."""
    for board in BOARDS:
        for panel in board["panels"]:
            where = f"{board['title'].removeprefix('SoniqueBay: ')}: {panel['title']}"
            for target in panel["targets"]:
                yield pytest.param(where, filled_in(target["expr"], board), id=where)
    for group in RULES["groups"]:
        for rule in group["rules"]:
            where = f"alert: {rule['alert']}"
            yield pytest.param(where, rule["expr"], id=where)


ASKED = list(asked())


@dataclass(frozen=True, slots=True)
class Watched:
    """A cluster, and what watches it."""

    cluster: Cluster
    prometheus: prometheus.Prometheus


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, demo_music: Path) -> Iterator[Watched]:
    """The demo library goes through, and two malformed records, while Prometheus looks."""
    try:
        kafka.fetch()
        programs = prometheus.fetch()
    except NotFetched as error:
        pytest.skip(f"Kafka or Prometheus cannot be had here: {error}")
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
            for count in (1, 2):  # what a counter begins with is no increase to Prometheus
                asyncio.run(_publish_malformed(cluster.broker.address))
                _wait_for(watched, f"{given_up} == {count}")
            cluster.json("scan", str(demo_music))
            cluster.wait_until_idle()
            yield watched


async def _publish_malformed(servers: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait("scan.requested", b"{not json", key=b"me")


def _wait_for(watched: Watched, expression: str) -> None:
    """Until it is answered: all is scraped every second, the api counts four times a minute."""
    eventually(lambda: bool(watched.prometheus.query(expression)), lambda: expression)


def test_all_five_are_scraped_and_known_by_their_names(watched: Watched) -> None:
    targets = watched.prometheus.targets()
    assert {target["labels"]["service"]: target["health"] for target in targets} == dict.fromkeys(
        SERVICES, "up"
    )


@pytest.mark.parametrize(("where", "expression"), ASKED)
def test_what_operators_are_shown_is_answered(
    watched: Watched, where: str, expression: str
) -> None:
    try:
        if where not in ANSWERED_BY_NOTHING:
            _wait_for(watched, expression)
        else:
            # In the end: what waits is counted now and then, so the last record may still do.
            eventually(
                lambda: watched.prometheus.query(expression) == [],
                lambda: f"{ANSWERED_BY_NOTHING[where]}: {watched.prometheus.query(expression)}",
            )
    except urllib.error.HTTPError as error:
        pytest.fail(f"{expression}: {error.read().decode()}")


def test_no_rule_has_an_error(watched: Watched) -> None:
    rules = watched.prometheus.rules()
    names = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}
    assert {rule["name"] for rule in rules} == names
    assert {rule["name"]: rule.get("lastError", "") for rule in rules} == dict.fromkeys(names, "")


def test_what_finds_nothing_is_something_that_is_asked() -> None:
    assert set(ANSWERED_BY_NOTHING) <= {str(param.values[0]) for param in ASKED}
