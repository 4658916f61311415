"""Logs: one JSON object per line, also from libraries, with the event that is handled."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.contracts.events import ScanRequested, TrackIndexed
from shared.runtime.logs import about, configure_logs

TRACK = TrackIndexed(track_id="trk_" + "0" * 32, revision=1)
SCAN = ScanRequested(root="/music")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that returns the parsed lines so far."""
    monkeypatch.setattr("sys.stderr", stderr := io.StringIO())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("info")
    yield lambda: [json.loads(line) for line in stderr.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_its_level_and_time(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(service="indexer")
    structlog.get_logger().info("running", tracks=3)
    structlog.get_logger().debug("below the level")
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "running", "level": "info", "tracks": 3, "service": "indexer"}


def test_the_logs_of_libraries_are_json_with_their_traceback(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(service="indexer")
    try:
        int("broken")
    except ValueError:
        logging.getLogger("aiokafka").exception("cannot %s", "commit")
    logging.getLogger("aiokafka").info("chatter")
    (line,) = lines()
    assert (line["event"], line["logger"], line["level"]) == ("cannot commit", "aiokafka", "error")
    assert line["service"] == "indexer"
    assert "broken" in line["exception"][0]["exc_value"]


async def test_each_concurrent_task_logs_its_own_event(lines: Any) -> None:
    async def work(event: TrackIndexed | ScanRequested) -> None:
        with about(event):
            await asyncio.sleep(0)
            structlog.get_logger().info("worked")

    await asyncio.gather(work(TRACK), work(SCAN))
    structlog.get_logger().info("idle")
    track, scan, idle = lines()
    assert (track["event_id"], track["track_id"]) == (TRACK.event_id, TRACK.track_id)
    assert (scan["event_id"], "track_id" in scan) == (SCAN.event_id, False)
    assert "event_id" not in idle
