"""Measuring: the library generator, and `make bench`."""
