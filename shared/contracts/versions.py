"""Versions that decide whether a stored result still stands. Raising one redoes the work."""

ANALYZER_VERSION = "5"
"""Raised with every change of the analysis that changes a field's value."""
