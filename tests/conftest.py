"""Fixtures of all tests: music, servers, and a summary of what was not available."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

from soniquebay.demo import render_demo
from tests.engines import kafka as kafka_engine
from tests.engines import ollama as ollama_engine
from tests.engines import opensearch as opensearch_engine
from tests.engines.jars import Server
from tests.fetch_debian import NotFetched
from tests.fetch_wesnoth import fetch

MUSIC = Path(__file__).parents[1] / ".music"
_NOT_AVAILABLE = "not available here"

# A slow machine is no failure, and the result of CI must not depend on chance.
hypothesis.settings.register_profile("no deadline", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("no deadline")


@contextmanager
def _locked_music() -> Iterator[None]:
    """Lock the music folder: pytest runs in two processes, and only one may create a file."""
    MUSIC.mkdir(exist_ok=True)
    with (MUSIC / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true", help="the long forms: 3,000 files, 10 kills in 500 files"
    )
    parser.addoption("--seed", type=int, default=1, help="of what goes wrong in tests/chaos")


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def demo_music() -> Path:
    """The demo library, rendered once and kept."""
    with _locked_music():
        render_demo(MUSIC / "demo")
    return MUSIC / "demo"


@pytest.fixture(scope="session")
def wesnoth_music() -> Path:
    """Real music; the test is skipped where it cannot be fetched."""
    try:
        with _locked_music():
            return fetch()
    except NotFetched as error:
        pytest.skip(f"real music (wesnoth) is {_NOT_AVAILABLE}: {error}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real broker. A test that kills it starts it again."""
    try:
        jars = kafka_engine.fetch()
    except NotFetched as error:
        pytest.skip(f"Apache Kafka is {_NOT_AVAILABLE}: {error}")
    server = kafka_engine.server(jars, tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[opensearch_engine.Node]:
    """A real node. A test that stops or kills it starts it again."""
    try:
        jars = opensearch_engine.fetch()
    except NotFetched as error:
        pytest.skip(f"OpenSearch is {_NOT_AVAILABLE}: {error}")
    node = opensearch_engine.node(jars, tmp_path_factory.mktemp("opensearch"))
    node.start()
    yield node
    node.kill()


@pytest.fixture(scope="session")
def ollama_parts() -> ollama_engine.Parts:
    """The Ollama program and a model's files."""
    try:
        return ollama_engine.fetch()
    except NotFetched as error:
        pytest.skip(f"Ollama is {_NOT_AVAILABLE}: {error}")


@pytest.fixture(scope="session")
def ollama(
    ollama_parts: ollama_engine.Parts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ollama_engine.OllamaServer]:
    """A real server with the model `all-minilm`. A test that stops it starts it again."""
    server = ollama_engine.server(ollama_parts, tmp_path_factory.mktemp("ollama"))
    server.start()
    server.add("all-minilm", ollama_parts.model)
    yield server
    server.kill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End the output with what was not tested, and why."""
    reasons = [
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    for reason in dict.fromkeys(reasons):
        if _NOT_AVAILABLE in reason:
            terminalreporter.write_line(f"NOT TESTED: {reason}")
