"""Objects are completed by a plan that is made once a selection, several times as fast.

graphql-core makes a path, an info and a chain of calls for each field of each object. A plain field
is an attribute and a check; what hangs on a loader is fetched for a whole list at once. Whatever is
not plainly right is left to graphql-core: it completes it, or says what is wrong.
"""

from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Any

from graphql import GraphQLNonNull, GraphQLObjectType, Undefined, is_object_type
from graphql.pyutils import Path, gather_with_cancel

from services.api.graphql.loading import NOT_THERE
from services.api.graphql.plain_values import Unusual
from services.api.graphql.planning import Planning
from services.api.graphql.selected import Need, Step, within


class QuickFields(Planning):
    """Executes operations, plain fields by plan."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.middleware_manager is not None and not self.middleware_manager.middlewares:
            self.middleware_manager = None  # it would be asked of each field

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core does, but for fields that have a plan."""
        if self.middleware_manager is not None or position_context is not None:
            return super().execute_fields(
                parent_type, source_value, path, grouped_field_set, position_context
            )
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for step in self._plan(parent_type, grouped_field_set):
                if step.plain is not None:
                    of, check = step.plain
                    try:
                        results[step.name] = check(of(source_value))
                        continue
                    except (Unusual, AttributeError):
                        pass
                told = self._execute_step(parent_type, source_value, path, step)
                if told is not Undefined:
                    results[step.name] = told
                    if self.is_awaitable(told):
                        waiting.append(step.name)
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return _awaited(results, waiting) if waiting else results

    def _execute_step(
        self, parent_type: GraphQLObjectType, source: Any, path: Path | None, step: Step
    ) -> Any:
        here = Path(path, step.name, parent_type.name)
        if step.loaded is None or step.kind is None:
            return self.execute_field(parent_type, source, step.details, here, None)
        row = step.loaded.row(self.context_value.loaders, source)
        if row is NOT_THERE:
            return self.execute_field(parent_type, source, step.details, here, None)
        try:
            told = self._complete_loaded(parent_type, step, here, step.loaded.show(source, row))
        except Exception as error:
            self.handle_field_error(error, step.kind.type, step.details, here)
            return None
        return self._guarded(told, step, here) if self.is_awaitable(told) else told

    def _complete_loaded(
        self, parent_type: GraphQLObjectType, step: Step, here: Path, value: Any
    ) -> Any:
        kind: Any = step.kind
        if step.check is not None:
            with suppress(Unusual):
                return step.check(value)
        if type(value) is self._object(kind.type, step.details).origin:
            return self.complete_value(kind.type, step.details, None, here, value, None)
        nodes = [each.node for each in step.details]
        info = self.build_resolve_info(kind, nodes, parent_type, here)
        return self.complete_value(kind.type, step.details, info, here, value, None)

    def complete_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core does; an object that is plainly of the type is gone into at once."""
        if position_context is None:
            known = self._object(return_type, field_details_list)
            if type(result) is known.origin:
                return self.execute_fields(known.kind, result, path, known.grouped, None)
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    async def _guarded(self, told: Awaitable[Any], step: Step, here: Path) -> Any:
        try:
            return await told
        except Exception as error:
            self.handle_field_error(error, step.kind.type, step.details, here)  # type: ignore[union-attr]
            return None

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """As graphql-core does, after what hangs on loaders is there for all items."""
        more = (item_type, field_details_list, info, path, items, position_context)
        kind = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        if isinstance(items, list) and items and is_object_type(kind):
            needs = self._needs(kind, field_details_list)
            if needs:
                return self._filled(needs, items, more)
        return super().complete_iterable_value(*more)

    async def _filled(self, needs: list[Need], items: list[Any], more: tuple[Any, ...]) -> Any:
        loaders = self.context_value.loaders
        asked = [loaded.ask(loaders, within(items, way)) for way, loaded in needs]
        for each in asked:
            for row in each:
                with suppress(Exception):  # whose field it is will hear of it
                    await row
        told = super().complete_iterable_value(*more)
        return await told if self.is_awaitable(told) else told


async def _awaited(results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
    else:
        told = await gather_with_cancel(*(results[name] for name in waiting))
        results.update(zip(waiting, told, strict=True))
    return results
