"""Versions of stored results. After one is raised, the work is done again."""

ANALYZER_VERSION = "6"
"""Raised with every change of the analysis that changes a field's value."""
