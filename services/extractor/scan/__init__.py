"""Walks a library and compares it with the catalogue: finds new, changed and missing files."""
