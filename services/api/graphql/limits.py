"""What one request may cost. A worker's `tracksById` of 1,000 tracks with all fields is well below.

Depth, aliases and tokens bound the document; the budget bounds what nested lists multiply to.
"""

from collections.abc import Callable
from typing import Any

from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)

from services.api.graphql.errors import bad_input

MOST_DEPTH = 12  # introspection does not count
MOST_ALIASES = 30
MOST_TOKENS = 2_500
MOST_ROWS_IN_ALL = 20_000


class Budget:
    """How many rows of lists a request may still get."""

    def __init__(self) -> None:
        self._left = MOST_ROWS_IN_ALL

    @property
    def is_exceeded(self) -> bool:
        """Whether it was too much."""
        return self._left < 0

    def spend(self, rows: int) -> None:
        """So many rows are shown; BAD_INPUT when it is too much in all."""
        self._left -= rows
        if self.is_exceeded:
            raise bad_input(
                f"the lists of this request have more than {MOST_ROWS_IN_ALL:,} rows in all:"
                " ask with a smaller `first`, or nest fewer lists"
            )


_RULES = [
    *QueryDepthLimiter(max_depth=MOST_DEPTH).validation_rules,
    *MaxAliasesLimiter(max_alias_count=MOST_ALIASES).validation_rules,
]


def document_limits() -> list[Callable[[], SchemaExtension]]:
    """The limits of a document, for the schema's extensions.

    Workers ask with the same few documents again and again: what was found valid is remembered,
    or a quarter of the gateway's time would go into it. The rules are made once, since what was
    found by others would not count.
    """
    limits: list[Callable[[], Any]] = [
        lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
        lambda: AddValidationRules(_RULES),
        ParserCache,
        ValidationCache,
    ]
    return limits
