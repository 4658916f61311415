"""The list of all metrics: `soniquebay_<service>_<what>_<unit>`, each declared once, here."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS_HANDLED = Counter(
    "soniquebay_bus_records_handled", "Records handled and committed.", ["topic", "stage"]
)
RECORDS_DEAD = Counter(
    "soniquebay_bus_records_dead", "Records sent to the dead letters.", ["topic", "stage", "kind"]
)
BATCHES_RETRIED = Counter(
    "soniquebay_bus_batches_retried",
    "Batches run again after a transient error.",
    ["topic", "stage"],
)
BATCH_DURATION = Histogram(
    "soniquebay_bus_batch_duration_seconds",
    "Time a batch took, handler and publishing.",
    ["topic", "stage"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 25, 125),
)
STAGE_PAUSED = Gauge(
    "soniquebay_bus_stage_paused_state", "1 while a stage waits for a dependency.", ["stage"]
)
BATCH_RECORDS = Histogram(
    "soniquebay_bus_batch_records",
    "Records of a batch.",
    ["topic", "stage"],
    buckets=(1, 5, 20, 50, 100, 200, 500),
)
BUS_LAG = Gauge(
    "soniquebay_bus_lag_records",
    "Records published and not yet committed, by consumer group; told by the api.",
    ["topic", "stage"],
)
TRACKS = Gauge(
    "soniquebay_api_tracks_count",
    "Tracks by state: present and missing; of those present, analyzed, vectorized, indexed.",
    ["state"],
)
FAILURES_OPEN = Gauge("soniquebay_api_failures_open_count", "Failures that are not resolved.")
SCANS_ACTIVE = Gauge("soniquebay_api_scans_active_count", "Scans that go on.")
FILES_TO_READ = Gauge(
    "soniquebay_api_files_to_read_count", "Files that active scans found and nobody has read yet."
)
WORK_PENDING = Gauge(
    "soniquebay_api_work_pending_count",
    "Files to read and tracks that are neither through nor failed.",
)
TIME_LEFT = Gauge(
    "soniquebay_api_time_left_seconds",
    "Until a stage (extracted, analyzed, vectorized, indexed) is through with all tracks at the"
    " rate of the last quarter of a minute; NaN while it stands still.",
    ["stage"],
)
DB_CONNECTIONS = Gauge(
    "soniquebay_api_db_connections_count",
    "Connections of the database pool: idle, used.",
    ["state"],
)
DB_WAITING = Gauge(
    "soniquebay_api_db_waiting_count", "Requests that wait for a connection of the database pool."
)
WORKER_JOBS = Gauge(
    "soniquebay_workers_jobs_count", "Jobs for worker processes: running, waiting.", ["state"]
)
WORKER_RESTARTS = Counter(
    "soniquebay_workers_restarts", "Worker processes replaced since they died or took too long."
)
BREAKER_OPEN = Gauge(
    "soniquebay_breakers_open_state",
    "1 from when a server failed several times in a row until it answers again: it is asked now"
    " and then only.",
    ["server"],
)
