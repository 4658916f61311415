"""All metrics: `soniquebay_<service>_<what>_<unit>`, each declared once, here.

`DECLARATIONS` lists them, for documents and tests: prometheus_client has no public way to ask a
metric for its labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A metric as it is declared.

    Attributes:
        name: without the endings that Prometheus adds to counters and histograms.
        kind: counter, gauge or histogram.
        description: what it counts.
        labels: the names of its labels.
        metric: what is counted with.
    """

    name: str
    kind: str
    description: str
    labels: tuple[str, ...]
    metric: Counter | Gauge | Histogram


DECLARATIONS: list[Declaration] = []


def _declare(metric: M, name: str, description: str, labels: Sequence[str]) -> M:
    kind = type(metric).__name__.lower()
    DECLARATIONS.append(Declaration(name, kind, description, tuple(labels), metric))
    return metric


def _counter(name: str, description: str, labels: Sequence[str] = ()) -> Counter:
    return _declare(Counter(name, description, labels), name, description, labels)


def _gauge(name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
    return _declare(Gauge(name, description, labels), name, description, labels)


def _histogram(
    name: str, description: str, labels: Sequence[str], *, buckets: Sequence[float]
) -> Histogram:
    metric = Histogram(name, description, labels, buckets=buckets)
    return _declare(metric, name, description, labels)


RECORDS_HANDLED = _counter(
    "soniquebay_bus_records_handled", "Records handled and committed.", ["topic", "stage"]
)
RECORDS_DEAD = _counter(
    "soniquebay_bus_records_dead", "Records sent to the dead letters.", ["topic", "stage", "kind"]
)
BATCHES_RETRIED = _counter(
    "soniquebay_bus_batches_retried",
    "Batches run again after a transient error.",
    ["topic", "stage"],
)
BATCH_DURATION = _histogram(
    "soniquebay_bus_batch_duration_seconds",
    "Time a batch took, handler and publishing.",
    ["topic", "stage"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 25, 125),
)
STAGE_PAUSED = _gauge(
    "soniquebay_bus_stage_paused_state", "1 while a stage waits for a dependency.", ["stage"]
)
BATCH_RECORDS = _histogram(
    "soniquebay_bus_batch_records",
    "Records of a batch.",
    ["topic", "stage"],
    buckets=(1, 5, 20, 50, 100, 200, 500),
)
BUS_LAG = _gauge(
    "soniquebay_bus_lag_records",
    "Records published and not yet committed, by consumer group; reported by the api.",
    ["topic", "stage"],
)
TRACKS = _gauge(
    "soniquebay_api_tracks_count",
    "Tracks by state: present and missing; of those present, analyzed, vectorized, indexed.",
    ["state"],
)
FAILURES_OPEN = _gauge("soniquebay_api_failures_open_count", "Failures that are not resolved.")
SCANS_ACTIVE = _gauge("soniquebay_api_scans_active_count", "Scans that have not ended.")
SCANS_UNRESOLVED = _gauge(
    "soniquebay_api_scans_unresolved_count",
    "Scans of libraries that were held or refused, without a later scan of the same files.",
    ["state"],
)
FILES_TO_READ = _gauge(
    "soniquebay_api_files_to_read_count", "Files that active scans found and that are not read yet."
)
WORK_PENDING = _gauge(
    "soniquebay_api_work_pending_count",
    "Files to read, and tracks that are neither indexed nor failed.",
)
TIME_LEFT = _gauge(
    "soniquebay_api_time_left_seconds",
    "Time until a stage (extracted, analyzed, vectorized, indexed) is done with all tracks, at the"
    " rate of the last quarter of a minute; NaN while it makes no progress.",
    ["stage"],
)
DB_CONNECTIONS = _gauge(
    "soniquebay_api_db_connections_count",
    "Connections of the database pool: idle, used.",
    ["state"],
)
DB_WAITING = _gauge(
    "soniquebay_api_db_waiting_count", "Requests that wait for a connection of the database pool."
)
WORKER_JOBS = _gauge(
    "soniquebay_workers_jobs_count", "Jobs for worker processes: running, waiting.", ["state"]
)
WORKER_RESTARTS = _counter(
    "soniquebay_workers_restarts", "Worker processes replaced because they died or took too long."
)
BREAKER_OPEN = _gauge(
    "soniquebay_breakers_open_state",
    "1 after a server failed several times in a row, until it answers again. Meanwhile it is"
    " called only now and then.",
    ["server"],
)
