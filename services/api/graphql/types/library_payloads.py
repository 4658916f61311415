"""The payloads of mutations that change libraries."""

import strawberry

from services.api.graphql.types.libraries import Library, LibraryContents
from services.api.graphql.types.payloads import UserError

_ERROR = "Why nothing was changed; null if it was."


@strawberry.type(description="The moved library, or why it stays where it is.")
class MoveLibraryPayload:
    """The moved library."""

    library: Library | None = strawberry.field(
        default=None, description="The library with its new root."
    )
    error: UserError | None = strawberry.field(default=None, description=_ERROR)


@strawberry.type(description="The renamed library, or why it keeps its name.")
class RenameLibraryPayload:
    """The renamed library."""

    library: Library | None = strawberry.field(
        default=None, description="The library with its new name."
    )
    error: UserError | None = strawberry.field(default=None, description=_ERROR)


@strawberry.type(description="The library that is removed, or why it stays.")
class RemoveLibraryPayload:
    """The library that is removed."""

    library: Library | None = strawberry.field(
        default=None, description="The library, also where it stays; null if there is none."
    )
    contents: LibraryContents | None = strawberry.field(
        default=None, description="What is deleted with it."
    )
    error: UserError | None = strawberry.field(default=None, description=_ERROR)


@strawberry.type(description="How many missing files were deleted, with their tracks.")
class PurgeMissingPayload:
    """How many files were purged."""

    purged: int = strawberry.field(default=0, description="Deleted by this call.")
    remaining: int = strawberry.field(
        default=0,
        description="That the same call would still delete: all of them, if it was a `dryRun`.",
    )
    error: UserError | None = strawberry.field(default=None, description=_ERROR)
