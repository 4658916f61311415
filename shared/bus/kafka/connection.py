"""How a process reaches the brokers: addresses, names, errors, and aiokafka's log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.contracts.errors import DependencyDown, InvalidInput

REQUEST_TIMEOUT_S = 15
_REPEAT_AFTER_S = 60.0
# Filters are not inherited by child loggers, so that each of aiokafka's is named here.
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


@dataclass(frozen=True, slots=True)
class Connection:
    """The brokers' addresses, and the names of topics and groups.

    Attributes:
        servers: `host:port`, several separated by commas; any broker of the cluster will do.
        client: the name of this process in the brokers' logs and metrics.
        prefix: put before the names of topics and groups, so that several installations of
            SoniqueBay can share brokers.
    """

    servers: str
    client: str
    prefix: str = ""

    def topic(self, name: str) -> str:
        """Return a topic's name on the brokers."""
        return self.prefix + name

    def group(self, stage: str, topic: str) -> str:
        """Return the consumer group of a stage on one topic.

        Each topic has a group of its own, so that a rebalance stops only the members that share
        its records.
        """
        return f"{self.prefix}{stage}.{topic}" if topic else self.prefix + stage

    @contextmanager
    def errors_named(self) -> Iterator[None]:
        """Turn aiokafka's errors into those that tell the bus what to do.

        Raises:
            InvalidInput: a record is larger than the brokers take.
            DependencyDown: anything else; mostly they are out of reach.
        """
        try:
            yield
        except MessageSizeTooLargeError as error:
            raise InvalidInput(f"a record is larger than the brokers take: {error}") from error
        except (KafkaError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise DependencyDown(
                f"Kafka at {self.servers} is out of reach or refuses: {reason}"
            ) from error


class _RateLimit(logging.Filter):
    """Drops a message that was logged within the last minute; its arguments are not compared."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_s: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the message is logged."""
        place, now_s = (record.pathname, record.lineno), time.monotonic()
        if now_s - self._logged_s.get(place, -_REPEAT_AFTER_S) < _REPEAT_AFTER_S:
            return False
        self._logged_s[place] = now_s
        return True


_RATE_LIMIT = _RateLimit()


def limit_aiokafka_logs() -> None:
    """Log each of aiokafka's messages at most once a minute; may be called any number of times.

    While brokers are away, each client of a process logs some ten messages a second, and a
    service has several clients.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_RATE_LIMIT)
