"""Who may be credited, and for what: words that the extractor and the api both know."""

CONTRIBUTOR_ROLES = (
    "composer", "lyricist", "writer", "conductor", "performer", "arranger", "remixer", "producer",
    "engineer", "mixer", "djmixer", "director",
)  # fmt: skip
"""What somebody may do beside the credited artists, by MusicBrainz Picard's names of the tags."""
VARIOUS_ARTISTS = "Various Artists"
"""The artist that stands for many, as MusicBrainz calls it."""
