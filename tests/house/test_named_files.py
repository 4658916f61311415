"""The files that documents name are there, so that a move or a merge does not leave stale names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FOLDERS = ("services", "shared", "soniquebay", "tests", "bench", "docs", "ops", "findings")
_PATH = re.compile(r"(?:[\w-][\w.-]*/)*[\w-]+\.(?:py|md|sh|yml|toml|json|graphql|sql|svg)")
FILES = [
    path.relative_to(ROOT).as_posix()
    for parent in (ROOT, *(ROOT / name for name in _FOLDERS))
    for path in (parent.glob("*") if parent == ROOT else parent.rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("services/*/README.md")),
    *sorted(ROOT.glob("bench/**/*.md")),
]


def stale_names(text: str) -> list[str]:
    """The names of files in backticks that no file has; a name may leave out its first folders."""
    code = " ".join(re.findall(r"`([^`\n]+)`", text))
    named = [word for word in code.split() if _PATH.fullmatch(word)]
    return [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in FILES)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    assert stale_names(page.read_text()) == []


def test_a_stale_name_is_noticed() -> None:
    text = "`services/api/gone.py` and `gone.py`, but `store/stalled.py` and `make lint`"
    assert stale_names(text) == ["services/api/gone.py", "gone.py"]
