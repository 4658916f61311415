"""The fields of the Tantivy index, and how documents become them."""

from typing import Any

import tantivy

from shared.search.folding import fold
from shared.search.port import Deletion, SearchDocument

SCHEMA_VERSION = "v2"
"""Raised with every change of the fields or their analysis: the index is then built anew."""

WEIGHTS = {"title": 3.0, "artist": 2.5, "album": 2.0, "genre": 1.5, "path": 1.0}
"""The fields that are searched, and what a word is worth in them."""

NAMES = ("artist", "album", "genre", "key")
"""The facets whose values are names; they are filtered by as a whole, too."""

_MOST_CHARACTERS = 20_000  # of a text; a name is cut sooner, since facets show it
_MOST_CHARACTERS_OF_NAME = 300


def _analyzer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(120))
    return builder.filter(tantivy.Filter.ascii_fold()).build()  # what `fold` leaves: ø, ł, æ


_ANALYZER = _analyzer()


def words(text: str) -> list[str]:
    """The words of a text, folded, in order."""
    return _ANALYZER.analyze(fold(text[:_MOST_CHARACTERS]))


def whole(name: str) -> str:
    """A name in the form that filters compare."""
    return " ".join(fold(name[:_MOST_CHARACTERS_OF_NAME]).split())


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_integer_field("version", stored=True)
    # 1 to be found, 0 where deleted: what is left keeps the version against late events.
    builder.add_integer_field("alive", indexed=True)
    for name in WEIGHTS:
        builder.add_text_field(name, tokenizer_name="whitespace")
    for name in NAMES:
        builder.add_text_field(f"{name}_facet", tokenizer_name="raw", fast=True)
        builder.add_text_field(f"{name}_whole", tokenizer_name="raw")
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_float_field("tempo_bpm", indexed=True, fast=True)
    return builder.build()


SCHEMA = _schema()


def to_tantivy(item: SearchDocument | Deletion) -> tantivy.Document:
    """A document as Tantivy takes it, or what is left of a deleted one."""
    kept: dict[str, Any] = {"id": item.track_id, "version": item.version, "alive": 0}
    if isinstance(item, SearchDocument):
        kept |= _fields(item)
    return tantivy.Document.from_dict(kept, SCHEMA)


def _fields(item: SearchDocument) -> dict[str, Any]:
    names = {
        "artist": list(dict.fromkeys(item.artists)),
        "album": [item.album] if item.album else [],
        "genre": list(dict.fromkeys(item.genres)),
        "key": [item.key] if item.key else [],
    }
    searched = {
        "title": [item.title],
        "artist": [*names["artist"], item.album_artist or ""],
        "album": names["album"],
        "genre": names["genre"],
        "path": [item.path],
    }
    fields: dict[str, Any] = {"alive": 1}
    for name, texts in searched.items():
        fields[name] = [" ".join(words(text)) for text in texts]
    for name, values in names.items():
        fields[f"{name}_facet"] = [_shown(value) for value in values]
        fields[f"{name}_whole"] = [whole(value) for value in values]
    if item.year is not None:
        fields["year"] = item.year
    if item.tempo_bpm is not None:
        fields["tempo_bpm"] = float(item.tempo_bpm)
    return fields


def _shown(name: str) -> str:
    return name[:_MOST_CHARACTERS_OF_NAME].encode(errors="replace").decode()
