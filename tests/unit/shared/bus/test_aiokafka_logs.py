"""aiokafka's messages are logged once a minute, from whichever of its loggers they come."""

import importlib
import logging
import pkgutil

import aiokafka
import pytest

from shared.bus.kafka.connection import limit_aiokafka_logs

# The modules that talk to brokers all the time; the others do not repeat their messages.
USED = ("aiokafka.conn", "aiokafka.cluster", "aiokafka.consumer", "aiokafka.producer")
QUIET = {"aiokafka.consumer.subscription_state"}


def loggers() -> list[str]:
    """The loggers of the modules that the bus uses."""
    names = [name for _, name, _ in pkgutil.walk_packages(aiokafka.__path__, "aiokafka.")]
    modules = [importlib.import_module(name) for name in names if name.startswith(USED)]
    found = {getattr(module, "log", None) for module in modules}
    return sorted({one.name for one in found if isinstance(one, logging.Logger)} - QUIET)


def test_there_are_loggers() -> None:
    assert len(loggers()) > 4


@pytest.mark.parametrize("name", loggers())
def test_a_message_is_logged_once_a_minute(name: str, caplog: pytest.LogCaptureFixture) -> None:
    limit_aiokafka_logs()
    logger = logging.getLogger(name)
    for number in range(3):
        # From a place of its own for each logger, since the place says which messages are equal.
        logger.handle(logger.makeRecord(name, logging.ERROR, name, 1, f"no {number}", (), None))
    assert [record.getMessage() for record in caplog.records] == ["no 0"]
