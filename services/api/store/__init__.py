"""The truth in PostgreSQL, one module an entity: plain SQL, in batches.

Writes take rows as mappings with the names of the GraphQL inputs in snake case, and answer one
result an item. All of a batch is one transaction; locks are taken in one order everywhere
(files by path, tracks by id, then the rest), so that overlapping batches wait, not deadlock.
"""
