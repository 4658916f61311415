"""The results of a batch's items: an id and a status, or the problem that made it refused."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.upserts import ErrorCode, UpsertStatus


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an item was refused, in words for people; `field` as the GraphQL input names it."""

    code: ErrorCode
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """The result of one item: an id and a status, or a problem."""

    id: UUID | None = None
    status: UpsertStatus | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track that a file may belong to, and the last known path of that track's file."""

    track_id: UUID
    library_id: UUID
    path: str
    is_same_content: bool
    """Whether the content matched; otherwise the tags did."""


@dataclass(slots=True)  # frozen, making one takes three times as long
class TrackUpserted:
    """The result of one item that concerns a track, with the track's revisions afterwards."""

    id: UUID | None = None
    status: UpsertStatus | None = None
    revision: int | None = None
    content_revision: int | None = None
    problem: Problem | None = None
    candidates: tuple[Candidate, ...] = ()
    """Of an UNDECIDED item: nothing was stored."""
