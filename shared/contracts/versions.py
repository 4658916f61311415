"""Versions of stored results. Raising one lets the work be done again."""

ANALYZER_VERSION = "6"
"""Raised with every change of the analysis that changes a field's value."""
