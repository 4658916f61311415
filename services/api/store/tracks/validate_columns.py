"""Are the values of a whole column fit to be stored? Pure; a few looks at all of them together.

Nearly every batch is fit. Only where these say no, the items are looked at one by one (`checks`),
which takes ten times as long, and tells what is wrong with which.
"""

import re
from collections.abc import Sequence
from math import isfinite
from typing import Any

Column = Sequence[Any]

_NONE = type(None)
_TEXT, _WHOLE, _NUMBER = {str, _NONE}, {int, _NONE}, {int, float, _NONE}
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]*")


def are_texts(column: Column, limit: int, *, required: bool = False) -> bool:
    """As `checks.text` of each, or `optional_text`."""
    if not set(map(type, column)) <= _TEXT:
        return False
    told = column if required else [*filter(None, column)]
    try:
        joined = "".join(told)
    except TypeError:  # one is left out
        return False
    is_short = len(joined) <= limit or max(map(len, told)) <= limit
    return is_short and "\0" not in joined and (joined.isascii() or _is_unicode(joined))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def are_names(column: Column, limit: int = 2_000) -> bool:
    """As `checks.name_text` of each."""
    return are_texts(column, limit, required=True) and all(map(str.strip, column))


def are_integers(column: Column, low: int, high: int, *, required: bool = False) -> bool:
    """As `checks.integer` of each, or `optional_integer`."""
    if not set(map(type, column)) <= _WHOLE:
        return False
    told = [one for one in column if one is not None]
    if required and len(told) < len(column):
        return False
    return not told or (min(told) >= low and max(told) <= high)


def are_numbers(column: Column, low: float, high: float, *, required: bool = False) -> bool:
    """As `checks.number` of each, or `optional_number`."""
    if not set(map(type, column)) <= _NUMBER:
        return False
    told = [one for one in column if one is not None]
    if required and len(told) < len(column):
        return False
    return not told or (all(map(isfinite, told)) and min(told) >= low and max(told) <= high)


def are_canonical_uuids(column: Column) -> bool:
    """Whether each is left out, or a UUID as `str` writes it."""
    return all(
        one is None or (type(one) is str and _CANONICAL_UUID.fullmatch(one)) for one in column
    )


def are_hex(column: Column, digits: int) -> bool:
    """Whether each is left out, or so many hex digits in small letters."""
    return all(
        one is None or (type(one) is str and len(one) == digits and _HEX.fullmatch(one))
        for one in column
    )
