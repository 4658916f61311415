"""The reference pages that are generated from code: docs/configuration.md and docs/metrics.md.

`python -m shared.runtime.reference_pages` writes them; a test compares them with the code.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from shared.runtime.metrics import DECLARATIONS
from shared.runtime.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"

_CONFIGURATION = """\
# Configuration

Every setting is an environment variable; none is needed on one machine. A wrong value is refused
at the start, by name. *(Made from `shared/runtime/settings.py` by
`python -m shared.runtime.reference_pages`: change it there.)*

"""
_METRICS = """\
# Metrics

What the processes count, in Prometheus' terms: `soniquebay_<service>_<what>_<unit>`. Counters get
`_total` at their end, histograms `_bucket`, `_sum` and `_count`. *(Made from
`shared/runtime/metrics.py` by `python -m shared.runtime.reference_pages`: change it there.)*

"""


def configuration_page() -> str:
    """Return the text of docs/configuration.md."""
    prefix = Settings.model_config.get("env_prefix", "")
    schema: Mapping[str, Any] = Settings.model_json_schema()["properties"]
    rows = [
        (f"`{prefix}{name.upper()}`", _value(schema[name]), _default(field), *_meaning(field))
        for name, field in Settings.model_fields.items()
    ]
    return _CONFIGURATION + _table(("Variable", "Value", "Default", "Meaning"), rows)


def _meaning(field: FieldInfo) -> Sequence[str]:
    return [(field.description or "").partition(" Default: ")[0]]


def _default(field: FieldInfo) -> str:
    # A default that is computed is described in words.
    described = (field.description or "").partition(" Default: ")[2]
    if described:
        return described.removesuffix(".")
    value = field.get_default()
    if value is None or value == ():
        return "none"
    return f"`{value}`"


def _value(schema: Mapping[str, Any]) -> str:
    """Describe the values that are allowed."""
    if "anyOf" in schema:
        schema = next(part for part in schema["anyOf"] if part.get("type") != "null")
    if "pattern" in schema:
        choices = schema["pattern"].strip("^$()").split("|")
        return " or ".join(f"`{choice}`" for choice in choices)
    if schema.get("format") == "path":
        return "path"
    if schema.get("format") == "password":
        return "secret"
    words = {"integer": "whole number", "number": "number", "array": "list", "object": "JSON"}
    return ", ".join([words.get(schema["type"], "text"), *_limits(schema)])


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤")):
        if name in schema:
            yield f"{sign} {schema[name]}"


def metrics_page() -> str:
    """Return the text of docs/metrics.md."""
    rows = [
        (
            f"`{metric.name}`",
            metric.kind,
            ", ".join(f"`{label}`" for label in metric.labels) or "none",
            metric.description,
        )
        for metric in DECLARATIONS
    ]
    return _METRICS + _table(("Name", "Kind", "Labels", "Meaning"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines
    )


PAGES = {"configuration.md": configuration_page, "metrics.md": metrics_page}


def main() -> None:
    """Write both pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{DOCS / name}\n")


if __name__ == "__main__":
    main()
