"""docs/fragile.md names the versions whose source was read, and the tests that notice a change."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fragile.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z][\w-]*) (\d[\w.]*) \|(.*)\|$", PAGE, re.MULTILINE)
LOCKED: dict[str, str] = {
    package["name"]: package.get("version", "")
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
}


def test_every_row_names_a_library_and_its_version() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 1  # but for the head


@pytest.mark.parametrize(("library", "version"), sorted({row[:2] for row in ROWS}))
def test_the_version_that_was_read_is_the_one_that_is_locked(library: str, version: str) -> None:
    assert version == LOCKED[library], f"read the parts of {library} that docs/fragile.md names"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.py)`", PAGE))))
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).is_file()
