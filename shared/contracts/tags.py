"""What services agree on about tags: a name, and limits. Pure."""

GUESSED_TAG = "soniquebay:guessed"
"""Among the tags without a field: names of the fields that were guessed from the path."""
MOST_CUES = 256
"""Cues and loops of a track by one program."""
MOST_GRID_MARKERS = 2_000
"""Markers of a beat grid. Live drums may need one a beat: that is a quarter of an hour."""
LONGEST_CUE_NAME = 200
LATEST_CUE_S = 1e7
"""Serato's largest time is 2^32 ms, half of this."""
