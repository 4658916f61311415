"""What all tests share: real music, and a word at the end on what could not be had."""

from pathlib import Path

import pytest

from soniquebay.demo import render_demo
from tests.fetch_debian import NotFetched
from tests.fetch_wesnoth import fetch

_not_had: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough", action="store_true", help="the long forms: 3,000 files, 10 kills in 500 files"
    )


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def demo_music() -> Path:
    """The demo library, rendered once and kept."""
    folder = Path(__file__).parents[1] / ".music" / "demo"
    render_demo(folder)
    return folder


@pytest.fixture(scope="session")
def wesnoth_music() -> Path:
    """Real music; the test is skipped where it cannot be fetched."""
    try:
        return fetch()
    except NotFetched as error:
        reason = f"real music (wesnoth) could not be fetched: {error}"
        _not_had.append(reason)
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in dict.fromkeys(_not_had):
        terminalreporter.write_line(f"NOT TESTED: {reason}")
