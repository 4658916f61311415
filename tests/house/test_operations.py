"""Dashboards, alerts and docs/operate.md name metrics, labels and alerts that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.dashboards import DASHBOARDS, FOLDER, text
from shared.runtime.metrics import DECLARATIONS, Declaration

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "ops" / "prometheus"
SCRAPING: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
TESTED = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OPERATE = (ROOT / "docs" / "operate.md").read_text()

OTHERS = {
    "up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes",
    "process_start_time_seconds", "redpanda_storage_disk_free_bytes",
}  # fmt: skip
"""Metrics of Prometheus, of every process, and of the broker."""
GIVEN_BY_PROMETHEUS = {"job", "instance", "service", "le", "alertstate"}
_ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def names(metric: Declaration) -> set[str]:
    """The names of a metric in Prometheus."""
    return {f"{metric.name}{ending}" for ending in _ENDINGS[metric.kind]}


DECLARED = {name: set(metric.labels) for metric in DECLARATIONS for name in names(metric)}


def expressions() -> Iterator[tuple[str, str]]:
    for name, board in DASHBOARDS.items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", target["expr"]
    for alert in ALERTS:
        yield alert["alert"], alert["expr"]


EXPRESSIONS = [pytest.param(expression, id=where) for where, expression in expressions()]


def named(expression: str) -> set[str]:
    """The metrics in an expression: words that are followed by a selector, a range or nothing."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|without) ?\([^)]*\)', " ", expression)
    words = re.findall(r"\b[a-zA-Z_][\w]*\b(?!\s*\()", bare)
    return {word for word in words if "_" in word or word in OTHERS}


def labels(expression: str) -> set[str]:
    selectors = re.findall(r"\{([^}]*)\}", expression)
    groups = re.findall(r"\bby ?\(([^)]*)\)", expression)
    found = {name for text in selectors for name in re.findall(r"(\w+)\s*(?:=|!)", text)}
    return found | {name.strip() for group in groups for name in group.split(",")}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_file_is_the_output_of_its_code(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == text(name), "run: python -m ops.dashboards"


def test_there_is_no_dashboard_without_code() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(DASHBOARDS)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_in_a_query_is_declared(expression: str) -> None:
    found = named(expression)
    assert found
    assert found <= DECLARED.keys() | OTHERS


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_in_a_query_belongs_to_one_of_its_metrics(expression: str) -> None:
    known = {label for name in named(expression) for label in DECLARED.get(name, ())}
    assert labels(expression) <= known | GIVEN_BY_PROMETHEUS


@pytest.mark.parametrize("metric", DECLARATIONS, ids=lambda metric: str(metric.name))
def test_every_metric_is_on_a_dashboard_or_in_an_alert(metric: Declaration) -> None:
    used = {name for _, expression in expressions() for name in named(expression)}
    assert names(metric) & used


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_is_tested_both_ways_and_explained(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    fires = {bool(case["exp_alerts"]) for test in TESTED for case in test["alert_rule_test"]
             if case["alertname"] == name}  # fmt: skip
    assert fires == {True, False}
    assert f"### {name}\n" in OPERATE
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]


def test_only_existing_alerts_are_explained() -> None:
    section = OPERATE.partition("## Alerts\n")[2].partition("\n## ")[0]
    explained = re.findall(r"^### (\w+)$", section, re.MULTILINE)
    assert explained == [alert["alert"] for alert in ALERTS]


def test_the_five_services_are_scraped_on_their_health_ports() -> None:
    (job,) = (job for job in SCRAPING["scrape_configs"] if job["job_name"] == "soniquebay")
    (found,) = job["dns_sd_configs"]
    services = COMPOSE["services"].items()
    built = {name for name, definition in services if "build" in definition}
    assert set(found["names"]) == built
    for name in built:
        port = COMPOSE["services"][name]["environment"]["SONIQUEBAY_HEALTH_PORT"]
        assert int(port) == found["port"]


def test_grafana_is_provisioned_with_the_data_source_and_the_dashboards() -> None:
    provisioning = ROOT / "ops" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    used = {
        target["datasource"]["uid"]
        for board in DASHBOARDS.values()
        for panel in board["panels"]
        for target in panel["targets"]
    }
    assert used == {source["uid"]}
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "soniquebay.yml").read_text())[
        "providers"
    ]
    mounts = COMPOSE["services"]["grafana"]["volumes"]
    assert f"./ops/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    home = COMPOSE["services"]["grafana"]["environment"][
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    ]
    assert Path(home).parent == Path(provider["options"]["path"])
    assert json.loads((FOLDER / Path(home).name).read_text())
