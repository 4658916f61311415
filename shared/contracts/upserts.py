"""What storing an item of a batch did, or why it was refused."""

from enum import StrEnum


class UpsertStatus(StrEnum):
    """What storing an item did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    RETURNED = "RETURNED"
    """A missing file is there again."""
    UNDECIDED = "UNDECIDED"
    """Nothing was stored: it may be the file of another track, which the sender can tell."""


class ErrorCode(StrEnum):
    """Why an item was refused."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    STALE = "STALE"
    """The track's content changed meanwhile."""
