"""Dashboards in Grafana's JSON, built from panels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SOURCE = {"type": "prometheus", "uid": "prometheus"}
"""The data source of all queries, as ops/grafana/provisioning names it."""
_WIDTH = 24
_HEIGHTS = {"stat": 4, "timeseries": 8, "table": 8}

Query = tuple[str, str]
"""A PromQL expression, and the legend of its series."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its queries, and how Grafana shows them.

    Attributes:
        title: as shown.
        queries: PromQL expressions with their legends.
        about: a description, shown behind the `i`.
        unit: Grafana's name of the unit.
        kind: `timeseries`, `stat` or `table`.
        width: in columns; a dashboard has 24.
    """

    title: str
    queries: Sequence[Query]
    about: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12


def dashboard(
    name: str, title: str, panels: Sequence[Panel], variables: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A dashboard in Grafana's JSON, the panels from left to right, top down."""
    return {
        "uid": f"soniquebay-{name}",
        "title": f"SoniqueBay: {title}",
        "tags": ["soniquebay"],
        "schemaVersion": 41,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [
            {"type": "dashboards", "title": "More", "tags": ["soniquebay"], "asDropdown": True}
        ],
        "templating": {"list": list(variables)},
        "annotations": {"list": []},
        "panels": _arrange(panels),
    }


def _arrange(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    x = y = height = 0
    found = []
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _WIDTH:
            x, y, height = 0, y + height, 0
        place = {"x": x, "y": y, "w": panel.width, "h": _HEIGHTS[panel.kind]}
        found.append(_panel(number, panel, place))
        x, height = x + panel.width, max(height, _HEIGHTS[panel.kind])
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    table = panel.kind == "table"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}}
        if panel.kind == "timeseries"
        else {},
        "targets": [
            {
                "refId": chr(ord("A") + place_in_panel),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
                "format": "table" if table else "time_series",
            }
            for place_in_panel, (expression, legend) in enumerate(panel.queries)
        ],
    }
