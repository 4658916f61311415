"""Libraries: a name and a root folder. Read, found by a request, changed, removed."""
