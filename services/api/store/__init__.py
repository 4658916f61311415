"""The truth in PostgreSQL, a folder or module for each entity: plain SQL, in batches.

Writes take items as mappings with the names of the GraphQL inputs in snake case, and return one
result an item. A batch is one transaction; locks are taken in one order everywhere (files by path,
tracks by id, then the rest), so that overlapping batches wait instead of deadlocking.
"""
