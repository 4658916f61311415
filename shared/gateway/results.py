"""The result of an item that concerns a track, and what is said of an item that is refused."""

import msgspec

from shared.contracts.upserts import ErrorCode, UpsertStatus


class UserError(msgspec.Struct, frozen=True):
    """What was wrong with an item. `field` is a path in the item's input, like `credits`."""

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
