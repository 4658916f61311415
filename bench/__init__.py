"""Benchmarks: `make bench` and its siblings (see README.md), and generators of music libraries."""
