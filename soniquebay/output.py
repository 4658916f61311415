"""What commands print: one JSON document on stdout, or lines for people; `tables` has the tables.

stdout has only the result, so that it can be piped; hints and progress go to stderr.
"""

import json
from collections.abc import Mapping
from typing import Any

import click

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def say(line: str) -> None:
    """Print a line for people, on stderr."""
    click.echo(line, err=True)


def moment(seconds: float) -> str:
    """A moment in a file for people: 0:07.50, 75:12.00."""
    hundredths = round(seconds * 100)
    return f"{hundredths // 6_000}:{hundredths % 6_000 / 100:05.2f}"


def duration(seconds: float) -> str:
    """A duration for people: 42 s, 3:07 min, 2:05 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def unresolved_line(scan: Mapping[str, Any]) -> str:
    """A scan that was held or refused, and why, in a line."""
    place = "/".join(part for part in (scan["root"].rstrip("/"), scan["folder"]) if part)
    return f"{place}: the scan was {scan['state'].lower()}: {scan['message'] or 'no reason known'}"
