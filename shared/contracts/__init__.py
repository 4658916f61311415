"""What crosses a border between services: events, topics, ids, paths, errors. Pure: no I/O."""
