"""Stores what was read through the gateway."""
