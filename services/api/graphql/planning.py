"""What an execution works out once a selection: its steps, its objects, what hangs on loaders.

Each is known by the identity of graphql-core's own objects for the selection. These are kept with
it, so that no other object takes their identity while the operation is executed.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_object_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from services.api.graphql.selected import Need, Step, step_of


@dataclass(frozen=True, slots=True)
class _Object:
    """What the objects of a field are.

    Attributes:
        details: graphql-core's, of the field; it so keeps its identity.
        kind: their type. origin: their class; None where there is none, or not one.
        grouped: what is selected of them.
    """

    details: Any
    kind: Any = None
    origin: type | None = None
    grouped: Any = None


class Planning(StrawberryGraphQLCoreExecutionContext):
    """Works out what each selection asks for, and keeps it for the rest of the operation."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._objects: dict[int, _Object] = {}
        self._plans: dict[int, tuple[Any, list[Step]]] = {}
        self._needed: dict[tuple[str, int], tuple[Any, list[Need]]] = {}

    def _object(self, return_type: Any, details: Any) -> _Object:
        """What a field's objects are, be they in a list or not."""
        known = self._objects.get(id(details))
        if known is None:
            known = self._objects[id(details)] = _Object(details)
            kind = get_named_type(return_type)
            ours = kind.extensions.get("strawberry-definition") if is_object_type(kind) else None
            if ours is not None:
                grouped, deferred, _ = self.collect_subfields(kind, details)
                if not deferred:
                    known = self._objects[id(details)] = _Object(
                        details, kind, ours.origin, grouped
                    )
        return known

    def _needs(self, kind: GraphQLObjectType, details: Any) -> list[Need]:
        """What objects of a type hang on, and objects that are plainly in them."""
        key = (kind.name, id(details))
        known = self._needed.get(key)
        if known is None:  # with what it is of, which so keeps its identity
            found: list[Need] = []
            for step in self._plan(kind, self.collect_subfields(kind, details)[0]):
                if step.loaded is not None:
                    found.append(((), step.loaded))
                elif step.inner is not None:
                    of, inner = step.inner
                    found += [
                        ((of, *way), loaded) for way, loaded in self._needs(inner, step.details)
                    ]
            known = self._needed[key] = details, found
        return known[1]

    def _plan(self, parent_type: GraphQLObjectType, grouped: Any) -> list[Step]:
        """What is done for each object of a type, a step a field."""
        known = self._plans.get(id(grouped))
        if known is None:  # as above; each selection of a type is an object of its own
            field = partial(self.schema.get_field, parent_type)
            steps = [
                step_of(name, details, field(details[0].node.name.value))
                for name, details in grouped.items()
            ]
            known = self._plans[id(grouped)] = grouped, steps
        return known[1]
