"""Names of tags that services agree on. Pure."""

GUESSED_TAG = "soniquebay:guessed"
"""Among the tags without a field: names of the fields that were guessed from the path."""
