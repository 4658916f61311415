"""Tables in Markdown, and where a bench writes them into the documents."""

from collections.abc import Iterable, Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; of `header` and of each row, as many cells."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_between_markers(document: Path, subject: str, text: str) -> None:
    """Replace what is between a subject's markers; they are appended where there are none."""
    begin, end = (f"<!-- {subject}:{place} -->" for place in ("begin", "end"))
    content = document.read_text()
    if begin not in content:
        content = f"{content.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = content.partition(begin)
    _, _, after = rest.partition(end)
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")
