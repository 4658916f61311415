"""Audio properties as the sound itself has them, where a header is silent or wrong.

One place behind the fast parsers and mutagen: both leave the same guesses.
"""
