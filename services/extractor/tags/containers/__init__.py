"""How each container names its tags: from what mutagen read to Picard's internal names.

These modules read mutagen's objects by their attributes and import nothing of it.
"""
