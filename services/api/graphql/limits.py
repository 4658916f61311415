"""The limits of a request. A worker's `tracksById` of 1,000 tracks stays well below them.

Depth, aliases and tokens bound the document. `context.Budget` bounds the rows of its lists, since
nested lists multiply.
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

    Workers send the same few documents again and again. So parsed and validated documents are
    cached: without the caches, validation takes a quarter of the gateway's time. The rules are
    made once, since they are part of the cache's key.
    """
    limits: list[Callable[[], Any]] = [
        lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
        lambda: AddValidationRules(_RULES),
        ParserCache,
        ValidationCache,
    ]
    return limits
