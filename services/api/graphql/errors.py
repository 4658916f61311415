"""Errors as clients see them. They are told what they can correct; what is our fault is logged.

Each error has a code in its `extensions`: BAD_INPUT (mend the request; the message names the
argument), UNAVAILABLE (ask again later), INTERNAL (look into the log).
"""

import structlog
from graphql import GraphQLError

from services.api.availability import DATABASE_DOWN, INVALID_VALUES
from shared.contracts.errors import DependencyDown, InvalidInput, TransientError

_log = structlog.get_logger(__name__)


def bad_input(message: str) -> GraphQLError:
    """The error of an argument that cannot be."""
    return GraphQLError(message, extensions={"code": "BAD_INPUT"})


def name_error(error: GraphQLError) -> None:
    """Give an error its code, and the message that clients may see; once is enough."""
    if error.extensions and "code" in error.extensions:
        return
    code, message = _seen(error)
    if code == "INTERNAL":
        _log.error("a request failed", path=error.path, exc_info=error.original_error)
    error.message, error.extensions = message, {"code": code}


def _seen(error: GraphQLError) -> tuple[str, str]:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):  # syntax, validation, variables, limits
        return "BAD_INPUT", error.message
    if isinstance(cause, InvalidInput):
        return "BAD_INPUT", str(cause)
    if isinstance(cause, INVALID_VALUES):
        return "BAD_INPUT", "a value cannot be stored or looked for, like NUL in a text"
    if isinstance(cause, DependencyDown | TransientError):
        return "UNAVAILABLE", str(cause)
    if isinstance(cause, DATABASE_DOWN):
        return "UNAVAILABLE", f"the database does not answer: {cause}"
    return "INTERNAL", "this failed on our side; the log says more"
