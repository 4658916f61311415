"""The gateway for those in its own process: the same schema and limits, without HTTP and JSON.

Where all services share a process, putting each request into bytes and taking it out of them again
took as long as storing what it says.
"""

from collections.abc import Callable, Mapping, Sequence

import strawberry
from strawberry.http import process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from services.api.availability import waiting_for_database
from services.api.covers_http import store_images
from services.api.graphql.context import Context
from shared.gateway.client import JSON, GatewayRefused

_OPERATIONS = (OperationType.QUERY, OperationType.MUTATION)


class LineWithin:
    """The `Line` of `shared.gateway.client` to a gateway in this process.

    Args:
        schema: the gateway's.
        make_context: as the gateway's app has it.
    """

    def __init__(self, schema: strawberry.Schema, make_context: Callable[[], Context]) -> None:
        self._schema = schema
        self._make_context = make_context

    async def ask(self, document: str, variables: Mapping[str, object]) -> JSON:
        """The whole answer to a GraphQL document.

        Raises:
            DependencyDown: the database is not open.
            GatewayRefused: the document is no query or mutation.
        """
        context = self._make_context()
        try:
            result = await self._schema.execute(
                document,
                dict(variables),
                context_value=context,
                allowed_operation_types=_OPERATIONS,
            )
        except (CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            raise GatewayRefused(str(error)) from error
        return dict(process_result(result))

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """Store images under the SHA-256 of their bytes; for each None, or why it is refused.

        Raises:
            DependencyDown: the database does not answer.
        """
        with waiting_for_database():
            return await store_images(self._make_context().pool, images)
