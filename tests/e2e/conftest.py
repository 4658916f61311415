"""A new data folder for each test."""

from pathlib import Path

import pytest

from tests.e2e.running import Bay


@pytest.fixture
def bay(tmp_path: Path) -> Bay:
    return Bay(tmp_path / "data")
