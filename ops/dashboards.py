"""Grafana's dashboards as code: overview, one service, cluster.

`python -m ops.dashboards` writes them to `ops/grafana/dashboards`; a test compares. The metrics are
those of `shared/runtime/metrics.py`, those of every process (`process_`), and the broker's own
(`redpanda_`).
"""

import json
import sys
from pathlib import Path
from typing import Any

from ops.panels import SOURCE, Panel, dashboard

FOLDER = Path(__file__).parent / "grafana" / "dashboards"

# Each api process reports the lag of all groups: a sum over processes would count it several times.
_LAG = "max by (stage) (sum by (instance, stage) (soniquebay_bus_lag_records))"
_HANDLED = "sum by (stage) (rate(soniquebay_bus_records_handled_total[5m]))"
_DEAD = "sum by (stage, kind) (rate(soniquebay_bus_records_dead_total[5m]))"

OVERVIEW = [
    Panel(
        "Tracks", [("max by (state) (soniquebay_api_tracks_count)", "{{state}}")],
        "Tracks by how far they are processed.", kind="stat", width=12,
    ),
    Panel(
        "Services", [('sum by (service) (up{job="soniquebay"})', "{{service}}")],
        "Processes that answer, by service.", kind="stat", width=8,
    ),
    Panel(
        "Alerts", [('count(ALERTS{alertstate="firing"}) or vector(0)', "firing")],
        "What to do for each: docs/operate.md.", kind="stat", width=4,
    ),
    Panel(
        "Waiting", [(_LAG, "{{stage}}")],
        "Records that each stage has not committed yet, including those in progress.",
    ),
    Panel(
        "Done a second", [(_HANDLED, "{{stage}}")],
        "Records handled and committed.", unit="cps",
    ),
    Panel(
        "Time left", [("max by (stage) (soniquebay_api_time_left_seconds)", "{{stage}}")],
        "Until a stage has handled all tracks at its current rate. A gap means no progress.",
        unit="s",
    ),
    Panel(
        "Given up a second", [(_DEAD, "{{stage}}: {{kind}}")],
        "Records sent to the dead letters. `invalid`: the file is bad; all other kinds are not.",
        unit="cps",
    ),
    Panel(
        "Scans and open work",
        [("max(soniquebay_api_scans_active_count)", "active scans"),
         ("max(soniquebay_api_files_to_read_count)", "files to read"),
         ("max(soniquebay_api_work_pending_count)", "files and tracks in progress"),
         ("max(soniquebay_api_failures_open_count)", "failures"),
         ("max by (state) (soniquebay_api_scans_unresolved_count)", "scans {{state}}")],
        "A scan is active until every file that it found is read. One that is held or refused"
        " waits for a person.",
    ),
    Panel(
        "Breakers",
        [("max by (service, server) (soniquebay_breakers_open_state)", "{{service}}: {{server}}")],
        "1 while a server that failed several times in a row is only tried now and then.",
    ),
]  # fmt: skip

_ONE = 'service=~"$service"'
SERVICE = [
    Panel(
        "Processes", [(f"sum by (service) (up{{{_ONE}}})", "{{service}}")],
        "Processes that answer.", kind="stat", width=6,
    ),
    Panel(
        "Uptime", [(f"time() - process_start_time_seconds{{{_ONE}}}", "{{instance}}")],
        "Since the start of each process.", unit="s", kind="stat", width=18,
    ),
    Panel(
        "Done a second",
        [(f"sum by (topic, stage) (rate(soniquebay_bus_records_handled_total{{{_ONE}}}[5m]))",
          "{{stage}}: {{topic}}")],
        "Records handled and committed.", unit="cps",
    ),
    Panel(
        "Given up a second",
        [(f"sum by (topic, stage, kind) (rate(soniquebay_bus_records_dead_total{{{_ONE}}}[5m]))",
          "{{stage}}: {{topic}}: {{kind}}")],
        "Records sent to the dead letters.", unit="cps",
    ),
    Panel(
        "Time of a batch",
        [(f"histogram_quantile({share}, sum by (le, topic, stage)"
          f" (rate(soniquebay_bus_batch_duration_seconds_bucket{{{_ONE}}}[5m])))",
          f"{{{{stage}}}}: {{{{topic}}}}: {label}")
         for share, label in ((0.5, "half"), (0.95, "95 %"))],
        "Handler and publishing together.", unit="s",
    ),
    Panel(
        "Records of a batch",
        [(f"sum by (topic, stage) (rate(soniquebay_bus_batch_records_sum{{{_ONE}}}[5m]))"
          f" / sum by (topic, stage) (rate(soniquebay_bus_batch_records_count{{{_ONE}}}[5m]))",
          "{{stage}}: {{topic}}")],
        "Many waiting records make large batches.",
    ),
    Panel(
        "Batches run again a second",
        [(f"sum by (topic, stage) (rate(soniquebay_bus_batches_retried_total{{{_ONE}}}[5m]))",
          "{{stage}}: {{topic}}")],
        "After a transient error.", unit="cps",
    ),
    Panel(
        "Waiting for a dependency",
        [(f"max by (stage) (soniquebay_bus_stage_paused_state{{{_ONE}}})", "{{stage}}")],
        "1 while a stage waits for a server that does not answer.",
    ),
    Panel(
        "Worker processes' jobs",
        [(f"sum by (state) (soniquebay_workers_jobs_count{{{_ONE}}})", "{{state}}")],
        "Running and waiting; the analyzer and the extractor have worker processes.",
    ),
    Panel(
        "Worker processes replaced in an hour",
        [(f"sum by (instance) (increase(soniquebay_workers_restarts_total{{{_ONE}}}[1h]))",
          "{{instance}}")],
        "They died, or exceeded their time limit: the log names the file.",
    ),
    Panel(
        "CPU", [(f"rate(process_cpu_seconds_total{{{_ONE}}}[5m])", "{{instance}}")],
        "Of the main process, without its worker processes.", unit="percentunit",
    ),
    Panel(
        "Memory", [(f"process_resident_memory_bytes{{{_ONE}}}", "{{instance}}")],
        "Of the main process, without its worker processes.", unit="bytes",
    ),
]  # fmt: skip

CLUSTER = [
    Panel(
        "Processes", [('sum by (service) (up{job="soniquebay"})', "{{service}}")],
        "Processes that answer, by service.",
    ),
    Panel(
        "Broker", [('up{job="redpanda"}', "up")],
        "1 while Redpanda answers.", kind="stat", width=4,
    ),
    Panel(
        "Broker's free disk", [("min(redpanda_storage_disk_free_bytes)", "free")],
        "Redpanda accepts no records when this runs out.", unit="bytes", kind="stat", width=8,
    ),
    Panel(
        "Waiting by topic and group",
        [("max by (topic, stage) (soniquebay_bus_lag_records)", "{{topic}} -> {{stage}}")],
        "Records that each group has not committed yet.",
    ),
    Panel(
        "Share of each process",
        [("sum by (service, instance) (rate(soniquebay_bus_records_handled_total[5m]))",
          "{{service}} {{instance}}")],
        "Records a second: replicas of a service should be about even.", unit="cps",
    ),
    Panel(
        "Given up in an hour",
        [("sum by (topic, stage, kind) (increase(soniquebay_bus_records_dead_total[1h])) > 0", "")],
        "`soniquebay failures` lists them, `soniquebay replay` tries them again.", kind="table",
    ),
    Panel(
        "Error share",
        [("sum by (stage) (rate(soniquebay_bus_records_dead_total[15m]))"
          " / (sum by (stage) (rate(soniquebay_bus_records_dead_total[15m]))"
          " + sum by (stage) (rate(soniquebay_bus_records_handled_total[15m])))", "{{stage}}")],
        "Records given up, as a share of all handled records.", unit="percentunit",
    ),
    Panel(
        "Paused stages",
        [("sum by (stage) (soniquebay_bus_stage_paused_state)", "{{stage}}")],
        "Processes in which a stage waits for a dependency.",
    ),
    Panel(
        "Database pool",
        [("sum by (instance, state) (soniquebay_api_db_connections_count)",
          "{{instance}}: {{state}}"),
         ("sum by (instance) (soniquebay_api_db_waiting_count)", "{{instance}}: waiting")],
        "Connections of each api. If requests wait, there are too few.",
    ),
    Panel(
        "Memory",
        [('sum by (service) (process_resident_memory_bytes{job="soniquebay"})', "{{service}}")],
        "Of all main processes of a service, without their worker processes.", unit="bytes",
    ),
]  # fmt: skip

_SERVICE_VARIABLE = {
    "name": "service",
    "label": "Service",
    "type": "query",
    "datasource": SOURCE,
    "query": {"query": 'label_values(up{job="soniquebay"}, service)', "refId": "service"},
    "definition": 'label_values(up{job="soniquebay"}, service)',
    "refresh": 2,
    "sort": 1,
    "includeAll": False,
    "multi": False,
    "current": {"text": "analyzer", "value": "analyzer"},
}


DASHBOARDS: dict[str, dict[str, Any]] = {
    "overview": dashboard("overview", "overview", OVERVIEW),
    "service": dashboard("service", "one service", SERVICE, [_SERVICE_VARIABLE]),
    "cluster": dashboard("cluster", "cluster", CLUSTER),
}


def text(name: str) -> str:
    """The dashboard's file."""
    return json.dumps(DASHBOARDS[name], indent=1) + "\n"


def main() -> None:
    """Write all three."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(text(name), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}.json\n")


if __name__ == "__main__":
    main()
