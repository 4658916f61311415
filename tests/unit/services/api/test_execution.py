"""What a request sent is let go of as soon as it is answered."""

import gc
from typing import Any

from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema

SCHEMA = build_schema()
NOWHERE: Any = None
DOCUMENT = """
query Covers($hashes: [String!]!, $asks: Boolean!) {
  __typename missingCovers(sha256s: $hashes) @include(if: $asks)
}
"""


class Text(str):
    """One that can be told from others."""


def held() -> int:
    """How many lists of them there are."""
    lists = (each for each in gc.get_objects() if type(each) is list)
    return sum(any(type(one) is Text for one in each) for each in lists)


async def test_an_answered_request_is_freed_without_the_collector() -> None:
    context = Context(NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE)
    gc.collect()
    gc.disable()
    try:
        told = {"hashes": [Text("a hash")], "asks": False}
        assert held() == 1
        answer = await SCHEMA.execute(DOCUMENT, told, context_value=context)
        assert answer.data == {"__typename": "Query"}
        del told
        assert held() == 0
    finally:
        gc.enable()
