"""What the services work with now."""

from typing import Annotated

import asyncpg
import strawberry
from pydantic import ValidationError
from strawberry import Info

from services.api.graphql.errors import bad_input
from services.api.graphql.inputs.analysis import AudioModelInput
from services.api.graphql.inputs.vectors import VectorSpaceInput
from services.api.graphql.mutations.arguments import INPUT, ONLY_SERVICES, checked_rows
from services.api.graphql.plain_inputs import rows
from services.api.store import checks, search_index
from services.api.store.analyses import meanings
from services.api.store.checks import InvalidValue
from services.api.store.vectors.spaces import register_spaces, validate_space
from shared.contracts.meaning import AudioModel


@strawberry.type
class RegisteringMutations:
    """What the services work with now."""

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="Say which spaces the vectorizer fills now; a changed one makes all tracks"
        " wait for new vectors.",
    )
    async def register_vector_spaces(
        self, info: Info, items: Annotated[list[VectorSpaceInput], INPUT]
    ) -> bool:
        """Whether that changed anything."""
        try:
            spaces = [validate_space(row) for row in checked_rows(items)]
        except InvalidValue as invalid:
            raise bad_input(str(invalid)) from None
        return await register_spaces(info.context.pool, spaces)

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="Say which trained model the analyzers hear with; tracks that were analysed"
        " without it, or with another, wait for a new analysis.",
    )
    async def register_audio_model(
        self, info: Info, told: Annotated[AudioModelInput, INPUT]
    ) -> bool:
        """True; what answers until then stays."""
        try:
            model = AudioModel.model_validate(rows([told])[0])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise bad_input(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        await meanings.register(info.context.pool, model)
        return True

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="Say which search index is in use; another one than before makes all tracks"
        " wait for indexing.",
    )
    async def register_search_generation(self, info: Info, generation: str) -> bool:
        """Whether that changed anything."""
        return await _register_generation(info.context.pool, generation)


async def _register_generation(pool: asyncpg.Pool, told: str) -> bool:
    try:
        return await search_index.register_generation(
            pool, checks.text({"generation": told}, "generation")
        )
    except InvalidValue as invalid:
        raise bad_input(str(invalid)) from None
