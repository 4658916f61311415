"""Mutations of the services, in the order the data moves: scans, library, analyses, vectors."""

import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import strawberry
from pydantic import ValidationError
from strawberry import UNSET, Info
from strawberry.permission import BasePermission

from services.api.graphql.arguments import INPUT, checked_rows
from services.api.graphql.errors import bad_input
from services.api.graphql.plain_inputs import rows
from services.api.graphql.scan_requests import find_scan, scan_or_error
from services.api.graphql.services.analysis_inputs import (
    AnalysisInput,
    AudioModelInput,
    VectorInput,
    VectorSpaceInput,
)
from services.api.graphql.services.library_inputs import AlbumInput, ArtistInput, TrackInput
from services.api.graphql.services.scan_inputs import BeginScanInput, FailureInput, ReportWalkInput
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.payloads import (
    BeginScanPayload,
    ReportWalkPayload,
    TrackUpsertPayload,
    UpsertPayload,
)
from services.api.graphql.types.scans import Scan
from services.api.guard import FOR_SERVICES
from services.api.store import artists, checks, scans, search_index
from services.api.store.albums.upsert import upsert_albums
from services.api.store.analyses import meanings
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.checks import InvalidValue
from services.api.store.failures.write import store_failures
from services.api.store.files.missing import mark_missing
from services.api.store.libraries.read import earlier_places
from services.api.store.reading.scans import read as read_scans
from services.api.store.scan_end import end_scan
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.spaces import register_spaces, validate_space
from services.api.store.vectors.upsert import upsert_vectors
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import FailureKind
from shared.contracts.identity import IdKind
from shared.contracts.meaning import AudioModel


class _ForServices(BasePermission):
    """Restricts mutations to the services, if SONIQUEBAY_SERVICE_TOKEN is set."""

    message = f"This is reserved for {FOR_SERVICES}"
    error_extensions = {"code": "FORBIDDEN"}  # noqa: RUF012 - strawberry declares it so

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """Whether the guard found the services' token, or none is set."""
        may: bool = info.context.may_store
        return may


ONLY_SERVICES: list[type[BasePermission]] = [_ForServices]


@strawberry.type
class ServiceMutations:
    """Mutations of the services."""

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: begins the scan that a `scan.requested` event asks for. An"
        " event that is delivered again gets the same scan.",
    )
    async def begin_scan(
        self, info: Info, request: Annotated[BeginScanInput, INPUT]
    ) -> BeginScanPayload:
        """Note that the walk begins. A scan that has ended stays as it is."""
        row = rows([request])[0]

        async def work(connection: asyncpg.Connection) -> UUID:
            scan = checks.optional_identifier(row, "scan_id", IdKind.SCAN)
            if scan is None:
                scan, _ = await find_scan(connection, row, info.context.settings.allowed_roots)
            await scans.begin(connection, scan)
            return scan

        pool = info.context.pool
        scan, error = await scan_or_error(pool, work)
        if scan is None or scan.library_id is None:
            return BeginScanPayload(scan=None if scan is None else Scan.of(scan), error=error)
        earlier = await earlier_places(pool, scan.library_id)
        return BeginScanPayload(
            scan=Scan.of(scan), earlier_places=[Library.of(each) for each in earlier]
        )

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: reports the progress of a walk, its end, or why the scan is"
        " refused.",
    )
    async def report_walk(
        self, info: Info, report: Annotated[ReportWalkInput, INPUT]
    ) -> ReportWalkPayload:
        """Store the counts and the state of a walk."""
        row = rows([report])[0]

        async def work(connection: asyncpg.Connection) -> UUID:
            scan = checks.identifier(row, "scan_id", IdKind.SCAN)
            message = checks.optional_text(row, "message")
            counts = {
                name.removeprefix("files_"): checks.integer(row, name, 0, checks.BIGINT_LIMIT)
                for name in ("files_seen", "files_to_read", "files_unchanged", "files_missing")
            }
            if row["files_held"] is not None:
                counts["held"] = checks.integer(row, "files_held", 0, checks.BIGINT_LIMIT)
            if row["is_refused"]:
                await scans.refuse(connection, scan, message or "refused")
            else:
                finished = row["is_finished"]
                await scans.report(
                    connection, scan, **counts, is_finished=finished, message=message
                )
            return scan

        scan, error = await scan_or_error(info.context.pool, work)
        if scan is not None and scan.state == "reading":
            await end_scan(info.context.pool, scan.id)
            scan = (await read_scans(info.context.pool, [scan.id]))[scan.id]
        return ReportWalkPayload(scan=None if scan is None else Scan.of(scan), error=error)

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: marks files missing; their tracks are kept. One result"
        " per path, in order.",
    )
    async def mark_missing(
        self, info: Info, library_id: strawberry.ID, paths: list[str]
    ) -> TrackUpsertPayload:
        """Mark tracks as missing, by path."""
        if len(paths) > checks.MOST_ITEMS:
            raise bad_input(f"send at most {checks.MOST_ITEMS:,} paths a call")
        library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
        return TrackUpsertPayload.of(await mark_missing(info.context.pool, library, paths))

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: upserts artists by name and MusicBrainz id. One result"
        " per item, in order.",
    )
    async def create_artists(
        self, info: Info, items: Annotated[list[ArtistInput], INPUT]
    ) -> UpsertPayload:
        """Upsert by name and MusicBrainz id."""
        return UpsertPayload.of(
            IdKind.ARTIST, await artists.upsert(info.context.pool, checked_rows(items))
        )

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: upserts albums by title, artists, MusicBrainz id and"
        " folder. One result per item, in order.",
    )
    async def create_albums(
        self, info: Info, items: Annotated[list[AlbumInput], INPUT]
    ) -> UpsertPayload:
        """Upsert by what makes an album."""
        return UpsertPayload.of(
            IdKind.ALBUM, await upsert_albums(info.context.pool, checked_rows(items))
        )

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the extractor: upserts tracks by library and path. One result per item,"
        " in order.",
    )
    async def create_tracks(
        self,
        info: Info,
        library_id: strawberry.ID,
        items: Annotated[list[TrackInput], INPUT],
        scan_id: strawberry.ID | None = UNSET,
    ) -> TrackUpsertPayload:
        """Upsert by path."""
        library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
        scan = checks.argument_id("scanId", scan_id, IdKind.SCAN) if scan_id else None
        return TrackUpsertPayload.of(
            await upsert_tracks(info.context.pool, library, scan, checked_rows(items))
        )

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the analyzer: upserts analyses by track and analyzer version. One result"
        " per item, in order.",
    )
    async def create_analyses(
        self, info: Info, items: Annotated[list[AnalysisInput], INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and analyzer version."""
        return TrackUpsertPayload.of(await upsert_analyses(info.context.pool, checked_rows(items)))

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the vectorizer: upserts vectors by track and vector space. One result"
        " per item, in order.",
    )
    async def create_vectors(
        self, info: Info, items: Annotated[list[VectorInput], INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and space."""
        return TrackUpsertPayload.of(await upsert_vectors(info.context.pool, checked_rows(items)))

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For services: stores events that a stage gave up on. One result per item, in"
        " order.",
    )
    async def create_failures(
        self, info: Info, items: Annotated[list[FailureInput], INPUT]
    ) -> UpsertPayload:
        """Store failures, as the handler of dead letters does."""
        letters = [_letter(row) for row in checked_rows(items)]
        return UpsertPayload.of(IdKind.FAILURE, await store_failures(info.context.pool, letters))

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the vectorizer: registers the vector spaces that it fills from now on."
        " If a space changed, all tracks need new vectors. True if anything changed.",
    )
    async def register_vector_spaces(
        self, info: Info, items: Annotated[list[VectorSpaceInput], INPUT]
    ) -> bool:
        """Register vector spaces."""
        try:
            spaces = [validate_space(row) for row in checked_rows(items)]
        except InvalidValue as invalid:
            raise bad_input(str(invalid)) from None
        return await register_spaces(info.context.pool, spaces)

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the analyzer: registers the trained model of its analyses. Tracks that"
        " were analysed without it are analysed again. Always true.",
    )
    async def register_audio_model(
        self, info: Info, model: Annotated[AudioModelInput, INPUT]
    ) -> bool:
        """Register the model. Older analyses count until they are replaced."""
        try:
            checked = AudioModel.model_validate(rows([model])[0])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise bad_input(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        await meanings.register(info.context.pool, checked)
        return True

    @strawberry.mutation(
        permission_classes=ONLY_SERVICES,
        description="For the indexer: registers the search index in use, by its generation. If it"
        " is another one than before, all tracks are indexed again. True if anything changed.",
    )
    async def register_search_generation(self, info: Info, generation: str) -> bool:
        """Register the search index."""
        return await _register_generation(info.context.pool, generation)


def _letter(row: dict[str, Any]) -> DeadLetter:
    try:
        key = base64.b64decode(row["key_base64"], validate=True)
        value = base64.b64decode(row["value_base64"], validate=True)
    except (binascii.Error, ValueError):
        raise bad_input("keyBase64 and valueBase64 must be base64") from None
    return DeadLetter(
        record=Record(topic=row["topic"], key=key, value=value),
        stage=row["stage"],
        kind=FailureKind(row["kind"]),
        message=row["message"],
        detail=row["detail"] or "",
        attempts=row["attempts"] or 1,
    )


async def _register_generation(pool: asyncpg.Pool, name: str) -> bool:
    try:
        return await search_index.register_generation(
            pool, checks.text({"generation": name}, "generation")
        )
    except InvalidValue as invalid:
        raise bad_input(str(invalid)) from None
