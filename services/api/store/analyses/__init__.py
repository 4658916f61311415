"""Analyses, one for each track and analyzer version.

The way of a batch: `upsert`, which writes the analyses (`meanings` in a table of their own), makes
them count (`current`) and gives them to all tracks of the same sound (`reuse`). `pause`: whether a
person paused the analysis.
"""
