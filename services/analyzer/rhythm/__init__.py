"""Rhythm: onsets, tempo, beats and downbeats."""
