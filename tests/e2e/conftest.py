"""A fresh data folder, and the programs on it."""

from pathlib import Path

import pytest

from tests.e2e.running import Bay


@pytest.fixture(scope="session")
def wesnoth_bay(tmp_path_factory: pytest.TempPathFactory, wesnoth_music: Path) -> Bay:
    """Real music, all done by one process that has ended; only to be looked at."""
    bay = Bay(tmp_path_factory.mktemp("wesnoth") / "data")
    done = bay.up("--music", str(wesnoth_music), timeout_s=600)
    assert done.returncode == 0, done.stderr
    return bay


@pytest.fixture
def bay(tmp_path: Path) -> Bay:
    return Bay(tmp_path / "data")
