"""Reads one music file: its tags, audio properties, content hash and embedded cover."""
