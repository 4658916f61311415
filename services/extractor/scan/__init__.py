"""The walk of a library: finds new, changed and missing files."""
