"""Cue sheets: an album in one file becomes its tracks, the parts of the file."""
