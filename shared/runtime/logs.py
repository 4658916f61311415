"""Structured logs on stderr, by structlog: readable on a terminal, JSON lines elsewhere.

What libraries log through `logging` comes out the same way. Code that works on one event binds it
(`about`), so that each line logged meanwhile names the event.
"""

import logging
import sys
from contextlib import AbstractContextManager

import structlog
from structlog.typing import Processor

from shared.contracts.events import Event, TrackEvent


def configure_logs(level: str) -> None:
    """Set up logging for this process. `level`: debug, info, warning or error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[libraries], force=True)


def about(event: Event) -> AbstractContextManager[None]:
    """Name the event and its track in each line that this task logs while the block runs."""
    fields = {"event_id": event.event_id}
    if isinstance(event, TrackEvent):
        fields["track_id"] = event.track_id
    return structlog.contextvars.bound_contextvars(**fields)
