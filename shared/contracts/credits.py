"""Roles of credited artists, shared by the extractor and the api."""

CONTRIBUTOR_ROLES = (
    "composer", "lyricist", "writer", "conductor", "performer", "arranger", "remixer", "producer",
    "engineer", "mixer", "djmixer", "director",
)  # fmt: skip
"""Roles of contributors other than the credited artists, by MusicBrainz Picard's tag names."""
VARIOUS_ARTISTS = "Various Artists"
"""MusicBrainz's artist of albums by various artists."""
