"""Errors as clients see them: what they can correct is explained, faults of our own are logged.

Each error has a code in its `extensions`: BAD_INPUT (correct the request; the message names the
argument), FORBIDDEN (send the right token), UNAVAILABLE (try again later), INTERNAL (a bug; the log
has the traceback).
"""

import structlog
from graphql import GraphQLError

from services.api.store.database.pool import DATABASE_DOWN, INVALID_VALUES
from shared.contracts.errors import DependencyDown, InvalidInput, TransientError

_log = structlog.get_logger(__name__)


def bad_input(message: str) -> GraphQLError:
    """The error of an invalid argument."""
    return GraphQLError(message, extensions={"code": "BAD_INPUT"})


def name_error(error: GraphQLError) -> None:
    """Set an error's code, unless it has one, and the message that clients may see."""
    if error.extensions and "code" in error.extensions:
        return
    code, message = _code_and_message(error)
    if code == "INTERNAL":
        _log.error("a request failed", path=error.path, exc_info=error.original_error)
    error.message, error.extensions = message, {"code": code}


def _fault_of_client(error: GraphQLError) -> str | None:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):  # syntax, validation, variables, limits
        return error.message
    if isinstance(cause, InvalidInput):
        return str(cause)
    if isinstance(cause, RecursionError):
        return "the document or its variables are nested too deeply"
    if isinstance(cause, INVALID_VALUES):
        return "a value cannot be stored or searched for, such as a text with a NUL character"
    return None


def _code_and_message(error: GraphQLError) -> tuple[str, str]:
    cause = error.original_error
    if (message := _fault_of_client(error)) is not None:
        return "BAD_INPUT", message
    if isinstance(cause, DependencyDown | TransientError):
        return "UNAVAILABLE", str(cause)
    if isinstance(cause, DATABASE_DOWN):
        return "UNAVAILABLE", f"the database does not answer: {cause}"
    return "INTERNAL", "the gateway failed; its log says why"
