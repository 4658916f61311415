"""aiokafka's own log, made bearable.

While brokers are away each of its clients reports that some ten times a second; a service has
several. Each of its messages is passed on once in a while only.
"""

import logging
import time

_AGAIN_AFTER_S = 60.0
_LOGGERS = (
    "aiokafka",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.message_accumulator",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
)


class _OnceInAWhile(logging.Filter):
    """Lets a message pass that was not heard lately; its arguments do not count."""

    def __init__(self) -> None:
        super().__init__()
        self._heard_s: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        which, now_s = (record.pathname, record.lineno), time.monotonic()
        if now_s - self._heard_s.get(which, -_AGAIN_AFTER_S) < _AGAIN_AFTER_S:
            return False
        self._heard_s[which] = now_s
        return True


_FILTER = _OnceInAWhile()


def quieten() -> None:
    """Do it for this process; any number of times."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
