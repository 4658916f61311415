"""Stores what was read through the gateway: covers, artists, albums, tracks."""
