"""What one request may cost. A worker's `tracksById` of 1,000 tracks with all fields is well below.

Depth, aliases and tokens bound the document. What nested lists multiply to is bounded by the
request's budget (`context.Budget`).
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

MOST_DEPTH = 12  # introspection does not count
MOST_ALIASES = 30
MOST_TOKENS = 2_500


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
