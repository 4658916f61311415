"""Mutations of people that move, rename and remove libraries, and purge missing files."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import strawberry
from strawberry import UNSET, Info

from services.api.graphql.arguments import uuid_of
from services.api.graphql.types.libraries import Library, LibraryContents
from services.api.graphql.types.library_payloads import (
    MoveLibraryPayload,
    PurgeMissingPayload,
    RemoveLibraryPayload,
    RenameLibraryPayload,
)
from services.api.graphql.types.payloads import UserError
from services.api.store import checks
from services.api.store.checks import InvalidValue
from services.api.store.database.pool import in_transaction
from services.api.store.files.purge import MissingFiles, count_missing, purge_missing
from services.api.store.libraries import change, read, remove
from shared.contracts.identity import IdKind

MOST_PURGED = 10_000
_MOST_DAYS, _DAYS_FIELD = 36_500, "older_than_days"


_ID = strawberry.argument(description="The library's id.")
# In Python, an argument `root` would be the parent object.
_ROOT = strawberry.argument(
    name="root", description="Absolute path of the folder where its files are now."
)
_NEW_NAME = strawberry.argument(description="The new name, at most 200 characters.")
_CONFIRMED_NAME = strawberry.argument(
    description="The library's name, as a confirmation that this one is meant."
)
_REMOVE_DRY_RUN = strawberry.argument(
    description="Only counts what would be deleted; needs no `name`."
)
_DAYS = strawberry.argument(
    description="For how long they have been missing at least; 0: all missing ones."
)
_IN_LIBRARY = strawberry.argument(description="Only of this library; null: of all.")
_PURGE_DRY_RUN = strawberry.argument(description="Only counts them, as `remaining`.")


@strawberry.type
class LibraryMutations:
    """Mutations that change libraries."""

    @strawberry.mutation(
        description="Gives a library another root, after its folder was moved or mounted elsewhere."
        " Tracks keep their ids, analyses and corrections, and the next scan reads only files that"
        " changed. Then request a scan: if the files are not there, it says so and changes nothing."
    )
    async def move_library(
        self,
        info: Info,
        id: Annotated[strawberry.ID, _ID],  # noqa: A002 - GraphQL's name
        new_root: Annotated[str, _ROOT],
    ) -> MoveLibraryPayload:
        """Change the root; nothing else changes."""

        async def work(connection: asyncpg.Connection) -> None:
            path = checks.text({"root": new_root}, "root", 8_192)
            allowed = info.context.settings.allowed_roots
            await change.move(connection, _library(id), path, allowed_roots=allowed)

        library, error = await _changed(info, _library(id), work)
        return MoveLibraryPayload(library=library, error=error)

    @strawberry.mutation(
        description="Gives a library another name. Its id stays. `SONIQUEBAY_MOUNTS` has names of"
        " libraries, too: change it there as well."
    )
    async def rename_library(
        self,
        info: Info,
        id: Annotated[strawberry.ID, _ID],  # noqa: A002 - GraphQL's name
        name: Annotated[str, _NEW_NAME],
    ) -> RenameLibraryPayload:
        """Change the name."""

        async def work(connection: asyncpg.Connection) -> None:
            checked = " ".join(checks.name_text({"name": name[:201]}, "name").split())
            await change.rename(
                connection, _library(id), checks.text({"name": checked}, "name", 200)
            )

        library, error = await _changed(info, _library(id), work)
        return RenameLibraryPayload(library=library, error=error)

    @strawberry.mutation(
        description="Removes a library: deletes all that is known of its files, also corrections."
        " The files themselves stay. It is done in the background, and goes on after a restart; the"
        " library is listed until it is done."
    )
    async def remove_library(
        self,
        info: Info,
        id: Annotated[strawberry.ID, _ID],  # noqa: A002 - GraphQL's name
        name: Annotated[str | None, _CONFIRMED_NAME] = UNSET,
        dry_run: Annotated[bool | None, _REMOVE_DRY_RUN] = False,
    ) -> RemoveLibraryPayload:
        """Count; then mark the library, whose rows housekeeping deletes."""
        key = _library(id)
        pool = info.context.pool

        async def work(connection: asyncpg.Connection) -> None:
            if dry_run:
                await change.lock_library(connection, key)
            else:
                await remove.request_removal(connection, key, name or None)

        contents = await read.contents(pool, key)
        library, error = await _changed(info, key, work)
        return RemoveLibraryPayload(
            library=library,
            contents=None if library is None else LibraryContents.of(contents),
            error=error,
        )

    @strawberry.mutation(
        description="Deletes files that have been missing for some days, with their tracks and what"
        f" belongs to these, also corrections. At most {MOST_PURGED:,} a call: call it again until"
        " `remaining` is 0."
    )
    async def purge_missing_tracks(
        self,
        info: Info,
        older_than_days: Annotated[int, _DAYS],
        library_id: Annotated[strawberry.ID | None, _IN_LIBRARY] = UNSET,
        dry_run: Annotated[bool | None, _PURGE_DRY_RUN] = False,
    ) -> PurgeMissingPayload:
        """Delete in batches."""
        pool = info.context.pool
        try:
            days = checks.integer({_DAYS_FIELD: older_than_days}, _DAYS_FIELD, 0, _MOST_DAYS)
        except InvalidValue as invalid:
            return PurgeMissingPayload(error=UserError.of(invalid.problem))
        which = MissingFiles(
            timedelta(days=days), uuid_of("libraryId", library_id or None, IdKind.LIBRARY)
        )
        purged = 0 if dry_run else await purge_missing(pool, which, most=MOST_PURGED)
        return PurgeMissingPayload(purged=purged, remaining=await count_missing(pool, which))


def _library(id_: str) -> UUID:
    return checks.argument_id("id", id_, IdKind.LIBRARY)


async def _changed(
    info: Info, id_: UUID, work: Callable[[asyncpg.Connection], Awaitable[None]]
) -> tuple[Library | None, UserError | None]:
    """Run `work` in a transaction; the library as it is then, and the user's error if any."""
    pool, error = info.context.pool, None
    try:
        await in_transaction(pool, work)
    except InvalidValue as invalid:
        error = UserError.of(invalid.problem)
    found = await read.read(pool, [id_])
    return (Library.of(found[0]) if found else None), error
