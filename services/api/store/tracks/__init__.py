"""Tracks, upserted by their file: (library, path).

The way of a batch, a file a step: `validate` (column by column; `validate_item` and `details` item
by item), `lock`, `match` (which track a file's content belongs to), `decide`, `write`. `upsert`
calls them in turn, in one transaction.
"""
