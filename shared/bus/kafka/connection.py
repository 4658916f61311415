"""Where the brokers are, and how their errors are named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.contracts.errors import DependencyDown, InvalidInput

REQUEST_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Connection:
    """How a process reaches the brokers, and what its topics and groups are called.

    Attributes:
        servers: `host:port`, several separated by commas; any of the cluster's will do.
        client: who the brokers' logs and metrics say it is.
        prefix: put before the names of topics and groups; several SoniqueBays can share brokers.
    """

    servers: str
    client: str
    prefix: str = ""

    def topic(self, name: str) -> str:
        """A topic's name on the brokers."""
        return self.prefix + name

    def group(self, stage: str, topic: str) -> str:
        """The consumer group of a stage on one topic.

        A group a topic, so that only those who share its records wait for each other when
        members come and go.
        """
        return f"{self.prefix}{stage}.{topic}" if topic else self.prefix + stage

    @contextmanager
    def errors_named(self) -> Iterator[None]:
        """Name aiokafka's errors by what the bus must do about them.

        Raises:
            InvalidInput: a record is larger than the brokers take.
            DependencyDown: anything else; mostly they are out of reach.
        """
        try:
            yield
        except MessageSizeTooLargeError as error:
            raise InvalidInput(f"a record is larger than the brokers take: {error}") from error
        except (KafkaError, OSError) as error:
            told = str(error) or type(error).__name__
            raise DependencyDown(
                f"Kafka at {self.servers} is out of reach or refuses: {told}"
            ) from error
