"""Errors, named by how the bus handles them.

    PipelineError
    ├── InvalidInput      the record or the file is at fault   -> dead letter at once
    ├── TransientError    it may well work the next time       -> retried in place, bounded
    │   └── RetryLater    it takes a while until it works      -> dead letter; a scan tries again
    └── DependencyDown    a server we need does not answer     -> pause and wait, unbounded

Anything else that a handler raises is a bug: dead letter with the traceback.
"""

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a record became a dead letter."""

    INVALID = "invalid"
    TRANSIENT = "transient"
    DEPENDENCY = "dependency"
    BUG = "bug"


class PipelineError(Exception):
    """Base of the errors that a handler raises on purpose. The message is shown to users."""


class InvalidInput(PipelineError):
    """The input is at fault, and trying again does not help: correct the file or the request."""


class TransientError(PipelineError):
    """It failed this time: the bus tries again a few times; if it stays, look at the cause."""


class RetryLater(TransientError):
    """Trying again at once would only hold up others: the next scan does, or a person by replay."""


class DependencyDown(PipelineError):
    """A server that the work needs is out of reach: the bus waits until it is back."""
