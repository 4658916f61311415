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
    assert len(ROWS) == len(lines) - 1  # without the head


@pytest.mark.parametrize(("library", "version"), sorted({row[:2] for row in ROWS}))
def test_the_version_in_the_document_is_the_locked_one(library: str, version: str) -> None:
    assert version == LOCKED[library], f"read the parts of {library} that docs/fragile.md names"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.py)`", PAGE))))
def test_a_named_file_exists(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_oldest_tested_releases_are_the_oldest_allowed_ones() -> None:
    tested = dict(
        re.findall(r"([\w-]+)==([\d.]+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    )
    project = tomllib.loads((ROOT / "services/api/pyproject.toml").read_text(encoding="utf-8"))
    lowest = dict(
        re.findall(r"(strawberry-graphql|graphql-core)>=([\d.]+)", str(project["project"]))
    )
    assert len(lowest) == 2
    for library, version in lowest.items():
        assert tested[library].startswith(version)
