"""The schema of the code, the checked-in schema and all GraphQL documents agree."""

import importlib
import re
from pathlib import Path

import pytest
from graphql import build_schema as parse_schema
from graphql import parse, specified_rules, validate

from services.api.graphql.schema import MOST_TOKENS, TEXT, build_schema, document_limits

SCHEMA = build_schema()
PARSED_SCHEMA = parse_schema(SCHEMA.as_str())
ROOT = Path(__file__).parents[2]
_BEGINS = r"\s*(?:(?:query|mutation|subscription)\b|\{)"
_CONSTANT = re.compile(rf'^([A-Z][A-Z_]*) = f?"+{_BEGINS}', re.MULTILINE)


def documents() -> dict[str, str]:
    """All documents of the workers and the command line, and the queries of the guide."""
    folder = ROOT / "shared" / "gateway" / "documents"
    found = {path.name: path.read_text() for path in sorted(folder.glob("*.graphql"))}
    for path in ROOT.glob("soniquebay/**/*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in _CONSTANT.findall(path.read_text()):
            found[f"{module}.{name}"] = getattr(importlib.import_module(module), name)
    guide = (ROOT / "docs" / "graphql.md").read_text()
    for number, text in enumerate(re.findall(r"```graphql\n(.*?)```", guide, re.DOTALL)):
        found[f"docs/graphql.md-{number}"] = text
    return found


DOCUMENTS = documents()


def test_the_checked_in_schema_is_the_one_of_the_code() -> None:
    hint = "run: python -m services.api.graphql.schema, and check the difference"
    assert TEXT.read_text() == SCHEMA.as_str() + "\n", hint


def test_the_documents_of_workers_and_command_line_are_found() -> None:
    assert "tracks_to_index.graphql" in DOCUMENTS
    assert "begin_scan.graphql" in DOCUMENTS
    assert "soniquebay.documents.SHOW" in DOCUMENTS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_and_within_the_limits(name: str) -> None:
    rules_of_limits = [getattr(limit(), "validation_rules", ()) for limit in document_limits()]
    limits = [rule for rules in rules_of_limits for rule in rules]
    assert limits
    parsed = parse(DOCUMENTS[name], max_tokens=MOST_TOKENS)
    assert validate(PARSED_SCHEMA, parsed, [*specified_rules, *limits]) == []
