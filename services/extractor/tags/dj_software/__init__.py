"""What DJ software leaves in music files: cues, loops, beat grids, energy, key, tempo.

The formats are not documented by their makers. Each module names the description that it follows.
"""
