"""Maps the tags of every container to one record."""
