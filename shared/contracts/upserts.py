"""The status of a stored item of a batch, and why an item is refused."""

from enum import StrEnum


class UpsertStatus(StrEnum):
    """What storing an item did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    RETURNED = "RETURNED"
    """A missing file is there again."""
    UNDECIDED = "UNDECIDED"
    """Nothing was stored: the file may be a moved one. The sender checks this on disk."""


class ErrorCode(StrEnum):
    """Why an item was refused."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    STALE = "STALE"
    """The track's content changed meanwhile."""
