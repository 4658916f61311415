"""The results of batch mutations, item by item."""

from collections.abc import Sequence

import msgspec

from shared.contracts.upserts import ErrorCode, UpsertStatus


class UserError(msgspec.Struct, frozen=True):
    """Why an item was refused. `field` is the field of its input at fault, like `credits`."""

    code: ErrorCode
    message: str
    field: str | None


class Candidate(msgspec.Struct, frozen=True, rename="camel"):
    """A track that an UNDECIDED item may continue, and where its file was last.

    Attributes:
        is_same_content: the contents agree; else only the tags do.
    """

    track_id: str
    library_id: str
    path: str
    is_same_content: bool


class UpsertResult(msgspec.Struct, rename="camel"):
    """The result of one item: an id and a status, or an error."""

    id: str | None
    status: UpsertStatus | None
    error: UserError | None = None


class TrackResult(msgspec.Struct, rename="camel"):
    """The result of one item that concerns a track, with the track's revisions afterwards."""

    id: str | None
    status: UpsertStatus | None
    revision: int | None
    content_revision: int | None
    error: UserError | None


class TrackUpsertResult(TrackResult, rename="camel"):
    """The result of one track. An UNDECIDED one was not stored, and has candidates."""

    candidates: Sequence[Candidate] = ()


class ItemError(msgspec.Struct):
    """The error of the item at position `item`, from 0."""

    item: int
    error: UserError


class UndecidedItem(msgspec.Struct):
    """The candidates of the item at position `item`, from 0."""

    item: int
    candidates: list[Candidate]


class UpsertColumns(msgspec.Struct):
    """The results of a batch in columns of equal length, and the errors among them."""

    ids: list[str | None]
    statuses: list[UpsertStatus | None]
    errors: list[ItemError]

    def rows(self) -> list[UpsertResult]:
        """The results item by item."""
        results = [
            UpsertResult(id_, status) for id_, status in zip(self.ids, self.statuses, strict=True)
        ]
        for each in self.errors:
            results[each.item].error = each.error
        return results


class TrackUpsertColumns(msgspec.Struct, rename="camel"):
    """The results of a batch of tracks in columns, the errors and the undecided items."""

    ids: list[str | None]
    statuses: list[UpsertStatus | None]
    revisions: list[int | None]
    content_revisions: list[int | None]
    errors: list[ItemError]
    undecided: list[UndecidedItem]

    def rows(self) -> list[TrackUpsertResult]:
        """The results item by item."""
        columns = (self.ids, self.statuses, self.revisions, self.content_revisions)
        results = [TrackUpsertResult(*row, None) for row in zip(*columns, strict=True)]
        for each in self.errors:
            results[each.item].error = each.error
        for undecided in self.undecided:
            results[undecided.item].candidates = undecided.candidates
        return results


class TrackResults(msgspec.Struct):
    """The payload of a mutation whose results are selected item by item."""

    results: list[TrackResult]
