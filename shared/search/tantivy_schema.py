"""The schema of the Tantivy index, and documents in its form."""

from typing import Any

import tantivy

from shared.search.fields import NAMES, SEARCHED, Item, fields


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_integer_field("version", stored=True)
    builder.add_integer_field("alive", indexed=True)  # 0 if the track is deleted
    for name in SEARCHED:
        builder.add_text_field(name, tokenizer_name="whitespace")
    for name in NAMES:
        builder.add_text_field(f"{name}_facet", tokenizer_name="raw", fast=True)
        builder.add_text_field(f"{name}_whole", tokenizer_name="raw")
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_float_field("tempo_bpm", indexed=True, fast=True)
    builder.add_bytes_field("order", stored=True)
    return builder.build()


SCHEMA = _schema()


def to_tantivy(item: Item) -> tantivy.Document:
    """Return a document, or a deletion, in the form that Tantivy takes."""
    made: dict[str, Any] = fields(item)
    made |= {"id": item.track_id, "version": item.version, "alive": int(made["alive"])}
    if "order" in made:
        made["order"] = made["order"].encode()
    return tantivy.Document.from_dict(made, SCHEMA)
