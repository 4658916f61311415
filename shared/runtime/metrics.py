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
