"""How benches write tables into the documents."""

from pathlib import Path

from bench.markdown import write_between_markers


def test_a_table_replaces_only_the_text_between_its_markers(
    tmp_path: Path,
) -> None:
    document = tmp_path / "analysis.md"
    document.write_text("# Before\n")
    write_between_markers(document, "truth", "one")
    document.write_text(document.read_text() + "after\n")
    write_between_markers(document, "truth", "two")
    assert document.read_text() == (
        "# Before\n\n<!-- truth:begin -->\ntwo\n<!-- truth:end -->\nafter\n"
    )
