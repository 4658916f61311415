"""Failures."""

from datetime import datetime
from uuid import UUID

import strawberry

from services.api.graphql.enums import FailureKind
from services.api.graphql.types.relay import Node
from services.api.store.failures.queries import StoredFailure
from shared.contracts.identity import IdKind, display_path, format_id


def _id(kind: IdKind, value: UUID | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(format_id(kind, value))


@strawberry.type
class Failure(Node):
    """An event that a stage gave up on."""

    stage: str
    kind: FailureKind
    message: str
    detail: str
    attempts: int
    path: str | None
    display_path: str | None
    track_id: strawberry.ID | None
    library_id: strawberry.ID | None
    scan_id: strawberry.ID | None
    topic: str
    failed_at: datetime
    resolved_at: datetime | None

    @classmethod
    def of(cls, failure: StoredFailure) -> "Failure":
        """A stored failure as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.FAILURE, failure.id)),
            stage=failure.stage,
            kind=FailureKind(failure.kind),
            message=failure.message,
            detail=failure.detail,
            attempts=failure.attempts,
            path=failure.path,
            display_path=failure.path and display_path(failure.path),
            track_id=_id(IdKind.TRACK, failure.track_id),
            library_id=_id(IdKind.LIBRARY, failure.library_id),
            scan_id=_id(IdKind.SCAN, failure.scan_id),
            topic=failure.topic,
            failed_at=failure.failed_at,
            resolved_at=failure.resolved_at,
        )
