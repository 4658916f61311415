"""Mutations of people and their programs: scans, replays, corrections, a pause."""

from functools import partial
from typing import Annotated
from uuid import UUID

import asyncpg
import strawberry
from strawberry import UNSET, Info

from services.api import corrections
from services.api.graphql.arguments import FILTER, INPUT, checked_rows
from services.api.graphql.people.inputs import (
    CorrectionInput,
    FailureFilter,
    FileFactInput,
    RequestScanInput,
)
from services.api.graphql.plain_inputs import given, rows
from services.api.graphql.scan_requests import find_scan, scan_or_error
from services.api.graphql.types.failures import Failure
from services.api.graphql.types.payloads import (
    ImportFactsPayload,
    ReplayPayload,
    RequestScanPayload,
    TrackUpsertPayload,
)
from services.api.graphql.types.scans import Scan
from services.api.store import checks
from services.api.store.analyses import pause
from services.api.store.database.pool import in_transaction
from services.api.store.failures.queries import (
    Replay,
    claim_failures,
    read_failures,
    resolve_claimed,
)
from services.api.store.tracks import fact_imports
from shared.contracts.events import ScanMode, ScanRequested
from shared.contracts.identity import IdKind, format_id

_REPLAY_PORTION = 500
_REPLAY_SHOWN = 1_000


@strawberry.type
class PeopleMutations:
    """Mutations of people and their programs."""

    @strawberry.mutation(
        description="Requests a scan of a library, named by `library` or `root`. A root that is not"
        " known yet becomes a new library, if the scan finds a folder there."
    )
    async def request_scan(
        self, info: Info, request: Annotated[RequestScanInput, INPUT]
    ) -> RequestScanPayload:
        """Return a new scan, or the active one of an equal request."""
        row = rows([request])[0]

        is_new = False

        async def work(connection: asyncpg.Connection) -> UUID:
            nonlocal is_new
            found, is_new = await find_scan(connection, row, info.context.settings.allowed_roots)
            return found

        scan, error = await scan_or_error(info.context.pool, work)
        if scan is None:
            return RequestScanPayload(error=error)
        if is_new:  # the event of an active scan is on the bus, or the reconciler emits it again
            event = ScanRequested(
                library=scan.library,
                root=scan.root,
                folder=scan.folder,
                mode=ScanMode(scan.mode),
                accept_missing=scan.accept_missing,
                scan_id=format_id(IdKind.SCAN, scan.id),
            )
            await info.context.bus.publish([event])
        return RequestScanPayload(scan=Scan.of(scan))

    @strawberry.mutation(
        description="Publishes the events of failures again: all, or those that the filter selects."
    )
    async def replay_failures(
        self, info: Info, which: Annotated[FailureFilter | None, FILTER] = UNSET
    ) -> ReplayPayload:
        """Claim, publish and resolve in portions; nothing is published inside a transaction."""
        wanted = (which or FailureFilter()).read()

        pool = info.context.pool

        async def claim(connection: asyncpg.Connection) -> list[Replay]:
            return await claim_failures(connection, wanted, first=_REPLAY_PORTION)

        replayed: list[UUID] = []
        while portion := await in_transaction(pool, claim):
            ids = [each.id for each in portion]
            await info.context.bus.publish_records([each.record for each in portion])
            await in_transaction(pool, partial(resolve_claimed, ids=ids))
            replayed += ids
        shown = await read_failures(pool, replayed[:_REPLAY_SHOWN])
        return ReplayPayload(
            replayed=len(replayed), failures=[Failure.of(one) for one in shown.values()]
        )

    @strawberry.mutation(
        description="Corrects tempo, key, genres or moods of tracks. A correction overrides"
        " measured and tagged values, and survives new analyses, new tags and moves of the file."
        " One result per item, in order."
    )
    async def correct_tracks(
        self, info: Info, items: Annotated[list[CorrectionInput], INPUT]
    ) -> TrackUpsertPayload:
        """Store corrections, and publish the events for the vectorizer and the indexer."""
        context = info.context
        return TrackUpsertPayload.of(
            await corrections.correct(context.pool, context.bus, checked_rows(items, given))
        )

    @strawberry.mutation(
        description="Stores what a collection of DJ software says of files of a library, beside"
        " what their tags say. All calls of one import have the same `importId`, a UUID of the"
        " caller's; `endImport` ends it."
    )
    async def import_facts(
        self,
        info: Info,
        library_id: strawberry.ID,
        import_id: UUID,
        items: Annotated[list[FileFactInput], INPUT],
    ) -> ImportFactsPayload:
        """Store the facts of the files that the library has."""
        library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
        return ImportFactsPayload.of(
            await fact_imports.import_facts(
                info.context.pool, library, import_id, checked_rows(items)
            )
        )

    @strawberry.mutation(
        description="Removes from a library what earlier imports of the program brought. Returns"
        " how many facts these were."
    )
    async def end_import(
        self, info: Info, library_id: strawberry.ID, import_id: UUID, source: str
    ) -> int:
        """End an import."""
        library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
        return await fact_imports.end_import(info.context.pool, library, source, import_id)

    @strawberry.mutation(
        description="Pauses the analysis until `resumeAnalysis`. Files that are being analysed are"
        " finished. False if it was paused already."
    )
    async def pause_analysis(self, info: Info) -> bool:
        """Pause: the analyzers ask before each batch."""
        return await pause.pause(info.context.pool)

    @strawberry.mutation(description="Continues the analysis. False if it was not paused.")
    async def resume_analysis(self, info: Info) -> bool:
        """Resume: the analyzers notice it within seconds."""
        return await pause.resume(info.context.pool)
