"""How each container names its tags: a mapping from mutagen's objects to Picard's internal names.

These modules read mutagen's objects, or those of the fast parsers, by their attributes. They do not
import mutagen.
"""
