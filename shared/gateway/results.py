"""The result of an item that concerns a track, and the error of an item that is refused."""

import msgspec

from shared.contracts.upserts import ErrorCode, UpsertStatus


class UserError(msgspec.Struct, frozen=True):
    """Why an item was refused. `field` is the field of its input at fault, like `credits`."""

    code: ErrorCode
    message: str
    field: str | None


class TrackResult(msgspec.Struct, rename="camel"):
    """The result of one item that concerns a track, with the track's revisions afterwards."""

    id: str | None
    status: UpsertStatus | None
    revision: int | None
    content_revision: int | None
    error: UserError | None


class TrackResults(msgspec.Struct):
    """The payload of a mutation whose results are selected item by item."""

    results: list[TrackResult]
