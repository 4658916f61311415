"""The fields of the Tantivy index, and how documents become them."""

from typing import Any

import tantivy

from shared.search.port import Deletion, SearchDocument

SCHEMA_VERSION = "v1"
"""Raised with every change of the fields or their analysis: the index is then built anew."""

WEIGHTS = {"title": 5.0, "artist": 4.0, "album": 3.0, "genre": 2.0, "path": 1.0}
"""The fields that are searched, and what a word is worth in them."""


def analyzer() -> tantivy.TextAnalyzer:
    """Words without case and accents; runs of Chinese or Japanese are one word each."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(120),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
    ):
        builder = builder.filter(step)
    return builder.build()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_integer_field("version", stored=True, indexed=False)
    # 1 to be found, 0 where deleted: what is left keeps the version against late events.
    builder.add_integer_field("alive", indexed=True)
    for name in WEIGHTS:
        builder.add_text_field(name, tokenizer_name="words")
    for name in ("artist", "album", "genre", "key"):
        builder.add_text_field(f"{name}_facet", tokenizer_name="raw", fast=True)
        builder.add_text_field(f"{name}_exact", tokenizer_name="raw")
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_float_field("tempo_bpm", indexed=True, fast=True)
    return builder.build()


SCHEMA = _schema()


def folded(name: str) -> str:
    """The form in which filters compare names."""
    return " ".join(analyzer().analyze(name)) or name.strip()


def document_fields(item: SearchDocument | Deletion) -> dict[str, Any]:
    """The index's fields of a document, or what is left of a deleted one."""
    kept: dict[str, Any] = {"id": item.track_id, "version": item.version, "alive": 0}
    if isinstance(item, Deletion):
        return kept
    names = {
        "artist": list(dict.fromkeys(item.artists)),
        "album": [item.album] if item.album else [],
        "genre": list(item.genres),
        "key": [item.key] if item.key else [],
    }
    fields = kept | {"alive": 1, "title": item.title, "path": item.path}
    fields["artist"] = [*names["artist"], *([item.album_artist] if item.album_artist else [])]
    fields["album"], fields["genre"] = names["album"], names["genre"]
    for name, values in names.items():
        fields[f"{name}_facet"] = values
        fields[f"{name}_exact"] = [folded(value) for value in values]
    if item.year is not None:
        fields["year"] = item.year
    if item.tempo_bpm is not None:
        fields["tempo_bpm"] = float(item.tempo_bpm)
    return fields
