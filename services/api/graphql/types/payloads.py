"""The payloads of mutations."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import strawberry

from services.api.graphql.scalars import BigInt, BigInts, Texts
from services.api.graphql.types.failures import Failure
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.scans import Scan
from services.api.store.results import Candidate, Problem, TrackUpserted, Upserted
from services.api.store.tracks.fact_imports import FactImport
from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import ErrorCode, UpsertStatus


@strawberry.type(
    description="Why an item or a request was refused. `field` is the field of the input at fault,"
    " like `title`."
)
class UserError:
    """A refused value."""

    code: ErrorCode
    message: str
    field: str | None

    @classmethod
    def of(cls, problem: Problem | None) -> "UserError | None":
        """The error of a problem; None without one."""
        if problem is None:
            return None
        return cls(code=problem.code, message=problem.message, field=problem.field)


def _id(kind: IdKind, value: UUID | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(format_id(kind, value))


@strawberry.type(description="The result of one item: an id and a status, or an error.")
class UpsertResult:
    """The result of one item of a batch."""

    id: strawberry.ID | None
    status: UpsertStatus | None
    error: UserError | None


@strawberry.type(
    description="The same results as columns of equal length, one value per item. For workers:"
    " GraphQL takes longer to write the results of a large batch one by one than the database to"
    " store them."
)
class UpsertColumns:
    """Ids, statuses and errors."""

    ids: Texts
    statuses: Texts
    errors: list["ItemError"]


@strawberry.type
class ItemError:
    """The error of one item."""

    item: int = strawberry.field(description="Its place in the batch, from 0.")
    error: UserError


def _errors(problems: Iterable[Problem | None]) -> list[ItemError]:
    return [
        ItemError(item=item, error=error)
        for item, problem in enumerate(problems)
        if (error := UserError.of(problem)) is not None
    ]


@strawberry.type(description="The results of a batch, in the order of its items, in two forms.")
class UpsertPayload:
    """The results of a batch, and the kind of their ids."""

    kind: strawberry.Private[IdKind]
    upserted: strawberry.Private[Sequence[Upserted]]

    @strawberry.field
    def results(self) -> list[UpsertResult]:
        """One by one."""
        return [
            UpsertResult(
                id=_id(self.kind, one.id), status=one.status, error=UserError.of(one.problem)
            )
            for one in self.upserted
        ]

    @strawberry.field
    def columns(self) -> UpsertColumns:
        """At once."""
        return UpsertColumns(
            ids=Texts([_id(self.kind, one.id) for one in self.upserted]),
            statuses=Texts([one.status for one in self.upserted]),
            errors=_errors(one.problem for one in self.upserted),
        )

    @classmethod
    def of(cls, kind: IdKind, results: Sequence[Upserted]) -> "UpsertPayload":
        """The store's results, with ids of the kind."""
        return cls(kind=kind, upserted=results)


@strawberry.type(
    description="A track that an item may continue, and where its file was. Check that file on"
    " disk: if `isSameContent`, whether it still has that content; otherwise, whether it is there"
    " at all. If not, send the item again with `movedFrom`; if no candidate fits, with"
    " `isChecked`."
)
class TrackCandidate:
    """A candidate."""

    track_id: strawberry.ID
    library_id: strawberry.ID
    path: str
    is_same_content: bool

    @classmethod
    def of(cls, candidate: Candidate) -> "TrackCandidate":
        """The store's candidate."""
        return cls(
            track_id=strawberry.ID(format_id(IdKind.TRACK, candidate.track_id)),
            library_id=strawberry.ID(format_id(IdKind.LIBRARY, candidate.library_id)),
            path=candidate.path,
            is_same_content=candidate.is_same_content,
        )


@strawberry.type
class TrackUpsertResult:
    """The result of one item that concerns a track, and the track's revisions afterwards."""

    id: strawberry.ID | None
    status: UpsertStatus | None
    revision: BigInt | None
    content_revision: int | None
    error: UserError | None
    candidates: list[TrackCandidate] = strawberry.field(
        default_factory=list,
        description="The candidates of an UNDECIDED item; nothing of it was stored.",
    )


@strawberry.type
class UndecidedItem:
    """An UNDECIDED item; nothing of it was stored."""

    item: int = strawberry.field(description="Its place in the batch, from 0.")
    candidates: list[TrackCandidate]


@strawberry.type(description="As `UpsertColumns`, and the tracks' revisions afterwards.")
class TrackUpsertColumns:
    """Ids, statuses, revisions, errors, and undecided items."""

    ids: Texts
    statuses: Texts
    revisions: BigInts
    content_revisions: BigInts
    errors: list[ItemError]
    undecided: list[UndecidedItem]


@strawberry.type
class TrackUpsertPayload:
    """The results of a batch."""

    upserted: strawberry.Private[Sequence[TrackUpserted]]

    @strawberry.field
    def results(self) -> list[TrackUpsertResult]:
        """One by one."""
        return [
            TrackUpsertResult(
                id=_id(IdKind.TRACK, one.id),
                status=one.status,
                revision=None if one.revision is None else BigInt(one.revision),
                content_revision=one.content_revision,
                error=UserError.of(one.problem),
                candidates=[TrackCandidate.of(each) for each in one.candidates],
            )
            for one in self.upserted
        ]

    @strawberry.field
    def columns(self) -> TrackUpsertColumns:
        """At once."""
        return TrackUpsertColumns(
            ids=Texts([_id(IdKind.TRACK, one.id) for one in self.upserted]),
            statuses=Texts([one.status for one in self.upserted]),
            revisions=BigInts([one.revision for one in self.upserted]),
            content_revisions=BigInts([one.content_revision for one in self.upserted]),
            errors=_errors(one.problem for one in self.upserted),
            undecided=[
                UndecidedItem(item=item, candidates=[TrackCandidate.of(c) for c in one.candidates])
                for item, one in enumerate(self.upserted)
                if one.candidates
            ],
        )

    @classmethod
    def of(cls, results: Sequence[TrackUpserted]) -> "TrackUpsertPayload":
        """The store's results."""
        return cls(upserted=results)


@strawberry.type
class RequestScanPayload:
    """The requested scan, or why it was refused."""

    scan: Scan | None = None
    error: UserError | None = None


@strawberry.type
class BeginScanPayload:
    """The scan of an event, or why it was refused."""

    scan: Scan | None = None
    error: UserError | None = None
    earlier_places: list[Library] = strawberry.field(
        default_factory=list,
        description="For a library without files: the libraries that may have been moved to its"
        " root. If the files of one are there now, and not at its own root, refuse the scan.",
    )


@strawberry.type
class ReportWalkPayload:
    """The scan after the report, or why the report was refused."""

    scan: Scan | None = None
    error: UserError | None = None


@strawberry.type
class ImportFactsPayload:
    """What became of the items."""

    track_ids: Texts = strawberry.field(
        description="The track of each item, in order; null: the library has no such file, or the"
        " item has an error."
    )
    errors: list[ItemError]

    @classmethod
    def of(cls, results: Sequence[FactImport]) -> "ImportFactsPayload":
        """The store's results."""
        return cls(
            track_ids=Texts([_id(IdKind.TRACK, one.track_id) for one in results]),
            errors=_errors(one.problem for one in results),
        )


@strawberry.type
class ReplayPayload:
    """How many failures were published again, and the first of them."""

    replayed: int
    failures: list[Failure]
