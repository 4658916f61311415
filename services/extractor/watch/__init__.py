"""Watches libraries, and requests scans of what changes, or of everything at intervals."""
