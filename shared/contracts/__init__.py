"""Contracts between services: events, topics, ids, paths, errors, values. Pure: no I/O."""
