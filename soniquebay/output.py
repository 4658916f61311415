"""What commands print: one JSON document, or tables and lines for people."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def say(line: str) -> None:
    """A line for people, on stderr."""
    click.echo(line, err=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; as wide as it needs to be where stdout is no terminal.

    Columns without a name have no header.
    """
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 500, no_color=not terminal, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not terminal)
    for row in rows:
        table.add_row(*(console.render_str(cell, markup=False) for cell in row))
    console.print(table)


def track_row(track: dict[str, Any], score: float) -> dict[str, Any]:
    """A hit as `--json` shows it."""
    return {
        "id": track["id"],
        "title": track["title"],
        "artists": track["artists"],
        "album": track["album"]["title"] if track["album"] else None,
        "path": track["displayPath"],
        "score": round(score, 4),
    }


def print_tracks(rows: Sequence[dict[str, Any]]) -> None:
    """Hits as a table."""
    print_table(
        ("score", "title", "artists", "album", "path"),
        [
            (
                f"{row['score']:.3f}", row["title"], ", ".join(row["artists"]),
                row["album"] or "", row["path"],
            )
            for row in rows
        ],
    )  # fmt: skip


def duration(seconds: float) -> str:
    """A time for people: 42 s, 3:07 min, 2:05 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
