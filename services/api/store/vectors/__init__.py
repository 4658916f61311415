"""Vectors of tracks (`upsert`), and the spaces they are in (`spaces`)."""
