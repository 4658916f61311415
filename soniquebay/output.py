"""What commands print: one JSON document on stdout, or tables and lines for people.

stdout has only the result, so that it can be piped; hints and progress go to stderr.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def say(line: str) -> None:
    """Print a line for people, on stderr."""
    click.echo(line, err=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout. If no column has a name, the table has no header.

    Cells are wrapped on a terminal only: a pipe gets one line for each row.
    """
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 500, no_color=not terminal, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not terminal)
    for row in rows:
        # Without markup: a title such as "[live]" is text, no style.
        table.add_row(*(console.render_str(cell, markup=False) for cell in row))
    console.print(table)


def duration(seconds: float) -> str:
    """A duration for people: 42 s, 3:07 min, 2:05 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
