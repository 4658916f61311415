"""Tables for people. A module of its own, since importing Rich takes a tenth of a second."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


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
