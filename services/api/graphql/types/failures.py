"""Failures."""

from datetime import UTC, datetime
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.arguments import uuid_of
from services.api.graphql.enums import FailureKind
from services.api.graphql.inputs.failures import FailureFilter
from services.api.graphql.plain_inputs import rows
from services.api.graphql.types.connections import Connection, connection
from services.api.graphql.types.node import Node
from services.api.store.failures.queries import FailureSelection, StoredFailure, read_failures
from services.api.store.reading import lists
from services.api.store.reading.pages import Conditions, Page
from shared.contracts.identity import IdKind, display_path, format_id


def _id(kind: IdKind, value: UUID | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(format_id(kind, value))


@strawberry.type
class Failure(Node):
    """Something that a stage gave up."""

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


async def failures_page(
    info: Info, first: int, after: str | None, wanted: FailureFilter | None
) -> Connection[Failure]:
    """Failures that fit, newest first."""
    pool, told = info.context.pool, rows([wanted])[0] if wanted else {}
    keys = [uuid_of("ids", id_, IdKind.FAILURE) for id_ in told.get("ids") or ()]
    kind = told.get("kind")
    fitting = FailureSelection(
        until=datetime.now(UTC),
        ids=[key for key in keys if key] or None,
        stage=told.get("stage"),
        kind=getattr(kind, "value", kind),
        topic=told.get("topic"),
        track_id=uuid_of("trackId", told.get("track_id"), IdKind.TRACK),
    )

    def where() -> Conditions:
        return lists.failures(fitting, include_resolved=bool(told.get("include_resolved")))

    async def page() -> Page:
        found = await lists.page(
            pool, "failures", where(), lists.FAILURES, first=first, after=after
        )
        full = await read_failures(pool, [row["id"] for row in found.rows])
        return Page([full[row["id"]] for row in found.rows], found.cursors, found.has_next)

    return await connection(
        info, page(), lambda: lists.count(pool, "failures", where()), Failure.of, after
    )
