"""Queries, links and make targets in the documents are valid."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema((ROOT / "services/api/schema.graphql").read_text())
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
ALL_PAGES = [*PAGES, *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY"))]
QUERIES = [
    pytest.param(query, id=f"{page.name}-{number}")
    for page in PAGES
    for number, query in enumerate(re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL))
]
LINKS = [
    pytest.param(page, target, id=f"{page.name}-{target}")
    for page in ALL_PAGES
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text())
]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_in_the_documents_is_valid(query: str) -> None:
    assert validate(SCHEMA, parse(query)) == []


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_every_link_in_the_documents_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    linked = page.parent / name if name else page
    assert linked.exists()
    if anchor:
        assert anchor in anchors(linked)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE))
    assert named
    assert named <= TARGETS
