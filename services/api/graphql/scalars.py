"""Scalars besides GraphQL's own: how they are parsed and serialized."""

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NewType

import numpy as np
import strawberry
from numpy.typing import NDArray
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)
KeyValues = NewType("KeyValues", object)  # dict[str, list[str]]
Shares = NewType("Shares", object)  # dict[str, float]
BigInts = NewType("BigInts", object)  # list[int | None]
Digests = NewType("Digests", object)  # list[int | None]
Flags = NewType("Flags", object)  # list[bool]
Places = NewType("Places", object)  # list[list[int]]
Texts = NewType("Texts", object)  # list[str | None]
Vector = NewType("Vector", object)  # NDArray[np.float32] (n,)


def _big_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 - it is a wrong value of a request
    return value


def _read_vector(value: Any) -> NDArray[np.float32]:
    try:
        content = base64.b64decode(value, validate=True)
        return np.frombuffer(content, dtype="<f4")
    except (TypeError, ValueError, binascii.Error):
        raise ValueError("a vector is base64 of little-endian float32 values") from None


def _write_vector(value: Any) -> str:
    return base64.b64encode(np.asarray(value, dtype="<f4").tobytes()).decode()


def _key_values(value: Any) -> Mapping[str, list[str]]:
    if not isinstance(value, dict) or not all(
        isinstance(values, list) and all(isinstance(one, str) for one in values)
        for values in value.values()
    ):
        raise ValueError("lists of texts by name are needed")
    return MappingProxyType(value)  # unlike a nested input, which is a plain dict


def _shares(value: Any) -> Mapping[str, float]:
    if not isinstance(value, dict):
        raise ValueError("numbers by name are needed")  # noqa: TRY004 - as above
    return MappingProxyType(value)  # unlike a nested input, which is a plain dict


SCALAR_MAP: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A size or time that exceeds 32 bits, as a JSON number.",
        serialize=int,
        parse_value=_big_int,
    ),
    KeyValues: strawberry.scalar(
        name="KeyValues",
        description="A JSON object whose values are lists of strings.",
        serialize=dict,
        parse_value=_key_values,
    ),
    Shares: strawberry.scalar(
        name="Shares",
        description="A JSON object whose values are numbers from 0 to 1.",
        serialize=dict,
        parse_value=_shares,
    ),
    # These serialize a whole column at once: graphql-core takes seconds for some 10,000 list items.
    BigInts: strawberry.scalar(
        name="BigInts",
        description="A JSON list of BigInts; null where there is no value.",
        serialize=list,
    ),
    Digests: strawberry.scalar(
        name="Digests", description="A JSON list of Ints and nulls.", serialize=list
    ),
    Flags: strawberry.scalar(name="Flags", description="A JSON list of Booleans.", serialize=list),
    Places: strawberry.scalar(
        name="Places", description="A JSON list of lists of Ints.", serialize=list
    ),
    Texts: strawberry.scalar(
        name="Texts",
        description="A JSON list of strings; null where there is no value.",
        serialize=list,
    ),
    Vector: strawberry.scalar(
        name="Vector",
        description="A vector: base64 of little-endian float32 values.",
        serialize=_write_vector,
        parse_value=_read_vector,
    ),
}
