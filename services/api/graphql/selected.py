"""What of a selection is plain, and what hangs on a loader: worked out once a selection. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, is_object_type
from strawberry.types.field import StrawberryField

from services.api.graphql.loading import Loaded
from services.api.graphql.plain_values import Check, check_of


@dataclass(frozen=True, slots=True)
class Step:
    """A field of a selection.

    Attributes:
        name: in the answer. details: graphql-core's, of the field.
        plain: the attribute that is the value, and what completes it.
        loaded: what the value hangs on. check: what completes it then, where it is plain.
        inner: the attribute that is an object, and its type, where nothing is resolved.
    """

    name: str
    details: Any
    kind: GraphQLField | None
    plain: tuple[Callable[[Any], Any], Check] | None = None
    loaded: Loaded | None = None
    check: Check | None = None
    inner: tuple[Callable[[Any], Any], GraphQLObjectType] | None = None


Need = tuple[tuple[Callable[[Any], Any], ...], Loaded]
"""The way from an object to the one that hangs on a loader, and how."""


def within(objects: Iterable[Any], way: tuple[Callable[[Any], Any], ...]) -> list[Any]:
    """What objects have at the end of a way, those that have something there."""
    found = [each for each in objects if each is not None]
    for of in way:
        found = [told for each in found if (told := of(each)) is not None]
    return found


def step_of(name: str, details: Any, kind: GraphQLField | None) -> Step:
    """The step that a field is: `kind` is the schema's field of it, None where there is none."""
    ours = kind.extensions.get("strawberry-definition") if kind is not None else None
    if kind is None or not isinstance(ours, StrawberryField) or kind.args or ours.extensions:
        return Step(name, details, kind)
    check = check_of(kind.type)
    if ours.base_resolver is not None:
        loaded = getattr(ours.base_resolver.wrapped_func, "loaded", None)
        return Step(name, details, kind, loaded=loaded, check=check)
    of = attrgetter(ours.python_name)
    if check is not None:
        return Step(name, details, kind, plain=(of, check))
    bare = kind.type.of_type if isinstance(kind.type, GraphQLNonNull) else kind.type
    inner = (of, bare) if is_object_type(bare) else None
    return Step(name, details, kind, inner=inner)
