"""What the extractor tells of a walk."""

from typing import Annotated
from uuid import UUID

import asyncpg
import strawberry
from strawberry import Info

from services.api.graphql.errors import bad_input
from services.api.graphql.inputs.scans import BeginScanInput, ReportWalkInput
from services.api.graphql.mutations.arguments import (
    INPUT,
    MOST_ITEMS,
    ONLY_SERVICES,
    find_scan,
    required_uuid,
    scan_or_error,
)
from services.api.graphql.payloads import BeginScanPayload, ReportWalkPayload, TrackUpsertPayload
from services.api.graphql.plain_inputs import rows
from services.api.graphql.types.scans import Scan
from services.api.store import checks, scans
from services.api.store.files.missing import mark_missing
from shared.contracts.identity import IdKind


@strawberry.type
class WalkingMutations:
    """What the extractor tells of a walk."""

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: the library and scan that an event speaks of; the same"
        " event, the same scan.",
    )
    async def begin_scan(
        self, info: Info, told: Annotated[BeginScanInput, INPUT]
    ) -> BeginScanPayload:
        """The walk begins; a scan that is over stays so."""
        row = rows([told])[0]

        async def work(connection: asyncpg.Connection) -> UUID:
            scan = checks.optional_identifier(row, "scan_id", IdKind.SCAN)
            if scan is None:
                scan, _ = await find_scan(connection, row)
            await scans.begin(connection, scan)
            return scan

        scan, error = await scan_or_error(info.context.pool, work)
        return BeginScanPayload(scan=None if scan is None else Scan.of(scan), error=error)

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def report_walk(
        self, info: Info, told: Annotated[ReportWalkInput, INPUT]
    ) -> ReportWalkPayload:
        """How far a walk is, that it is finished, or that it is refused."""
        row = rows([told])[0]

        async def work(connection: asyncpg.Connection) -> UUID:
            scan = checks.identifier(row, "scan_id", IdKind.SCAN)
            message = checks.optional_text(row, "message")
            counts = {
                name.removeprefix("files_"): checks.integer(row, name, 0, checks.BIGINT_LIMIT)
                for name in ("files_seen", "files_to_read", "files_unchanged", "files_missing")
            }
            if row["files_held"] is not None:
                counts["held"] = checks.integer(row, "files_held", 0, checks.BIGINT_LIMIT)
            finished = row["is_finished"] and not row["is_refused"]
            await scans.report(connection, scan, **counts, is_finished=finished, message=message)
            if row["is_refused"]:
                await scans.refuse(connection, scan, message or "refused")
            return scan

        scan, error = await scan_or_error(info.context.pool, work)
        return ReportWalkPayload(scan=None if scan is None else Scan.of(scan), error=error)

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="Mark files missing; one result a path, with the track concerned.",
    )
    async def mark_missing(
        self, info: Info, library_id: strawberry.ID, paths: list[str]
    ) -> TrackUpsertPayload:
        """The tracks are kept."""
        if len(paths) > MOST_ITEMS:
            raise bad_input(f"send at most {MOST_ITEMS:,} paths a call")
        library = required_uuid("libraryId", library_id, IdKind.LIBRARY)
        return TrackUpsertPayload.of(await mark_missing(info.context.pool, library, paths))
