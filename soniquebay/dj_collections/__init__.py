"""Reads the collections that DJ software exports: rekordbox's XML and Traktor's NML."""
