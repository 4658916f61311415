"""Corrections of tracks by a person: `validate` an item, `apply` it."""
