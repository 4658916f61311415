"""All mutations: read the input, call the store, show the result."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import strawberry
from graphql import GraphQLError
from pydantic import ValidationError
from strawberry import UNSET, Info
from strawberry.permission import BasePermission

from services.api import correcting
from services.api.graphql.inputs import (
    AlbumInput,
    AnalysisInput,
    ArtistInput,
    AudioModelInput,
    BeginScanInput,
    CorrectionInput,
    FailureFilter,
    FailureInput,
    ReportWalkInput,
    RequestScanInput,
    TrackInput,
    VectorInput,
    VectorSpaceInput,
    given,
    rows,
)
from services.api.graphql.payloads import (
    BeginScanPayload,
    ReplayPayload,
    ReportWalkPayload,
    RequestScanPayload,
    TrackUpsertPayload,
    UpsertPayload,
    UserError,
)
from services.api.graphql.types.failures import Failure
from services.api.graphql.types.scans import Scan
from services.api.guard import FOR_SERVICES
from services.api.store import (
    albums,
    analyses,
    artists,
    checks,
    failures,
    files,
    generation,
    meanings,
    pause,
    scans,
    tracks,
    vectors,
)
from services.api.store.checks import Unfit
from services.api.store.outcomes import in_transaction
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import FailureKind
from shared.contracts.events import ScanMode, ScanRequested
from shared.contracts.identity import IdKind, format_id
from shared.contracts.meaning import AudioModel

MOST_ITEMS = 2_000
_REPLAY_PORTION = 500
_REPLAY_SHOWN = 1_000
# Names of the schema that would hide Python's own.
_INPUT = strawberry.argument(name="input")
_FILTER = strawberry.argument(name="filter")


def _bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_INPUT"})


def _rows(
    items: Sequence[Any], read: Callable[[Sequence[Any]], list[dict[str, Any]]] = rows
) -> list[dict[str, Any]]:
    if len(items) > MOST_ITEMS:
        raise _bad_request(f"{len(items):,} items are too many: send at most {MOST_ITEMS:,} a call")
    return read(items)


def _uuid(name: str, value: str, kind: IdKind) -> UUID:
    try:
        return checks.identifier({name: value}, name, kind)
    except Unfit as unfit:
        raise _bad_request(str(unfit)) from None


async def _scan_or_error(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[UUID]]
) -> tuple[scans.Scan | None, UserError | None]:
    """Run `work` in a transaction; the scan whose id it returns, or what was wrong."""
    try:
        scan = await in_transaction(pool, work)
    except Unfit as unfit:
        return None, UserError.of(unfit.problem)
    return (await scans.read(pool, [scan]))[scan], None


async def _find_scan(connection: asyncpg.Connection, told: dict[str, Any]) -> tuple[UUID, bool]:
    return await scans.request(
        connection,
        library=checks.optional_text(told, "library", 200),
        root=checks.optional_text(told, "root", 8_192),
        folder=checks.optional_text(told, "folder", 8_192) or "",
        mode=told["mode"] or ScanMode.INCREMENTAL,
        accept_missing=bool(told["accept_missing"]),
    )


class _ForServices(BasePermission):
    """What stores: for the services, where they have a token of their own."""

    message = f"This is for {FOR_SERVICES}"
    error_extensions = {"code": "FORBIDDEN"}  # noqa: RUF012 - strawberry declares it so

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """As the guard found."""
        may: bool = info.context.may_store
        return may


_FOR_SERVICES: list[type[BasePermission]] = [_ForServices]


@strawberry.type
class Mutation:
    """What changes the library."""

    @strawberry.mutation(
        description="Ask for a scan of a library, by its name or its root; a new root becomes a"
        " new library."
    )
    async def request_scan(
        self, info: Info, told: Annotated[RequestScanInput, _INPUT]
    ) -> RequestScanPayload:
        """A new scan, or the one for the same that is at work."""
        row = rows([told])[0]

        is_new = False

        async def work(connection: asyncpg.Connection) -> UUID:
            nonlocal is_new
            found, is_new = await _find_scan(connection, row)
            return found

        scan, error = await _scan_or_error(info.context.pool, work)
        if scan is None:
            return RequestScanPayload(error=error)
        if is_new:  # one that is at work is on the bus, or the reconciler sees to it
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

    @strawberry.mutation(description="Publish again what failed.")
    async def replay_failures(
        self, info: Info, which: Annotated[FailureFilter | None, _FILTER] = UNSET
    ) -> ReplayPayload:
        """Resolve and publish in portions, so that no lock is held for long."""
        told = rows([which])[0] if which else {}
        wanted = failures.Wanted(
            ids=[_uuid("ids", id_, IdKind.FAILURE) for id_ in told.get("ids") or ()] or None,
            stage=told.get("stage"),
            kind=told.get("kind"),
            topic=told.get("topic"),
            track_id=_uuid("trackId", told["track_id"], IdKind.TRACK)
            if told.get("track_id")
            else None,
            until=datetime.now(UTC),
        )

        async def work(connection: asyncpg.Connection) -> list[UUID]:
            taken = await failures.take(connection, wanted, first=_REPLAY_PORTION)
            await info.context.bus.publish_records([one.record for one in taken])
            return [one.id for one in taken]

        replayed: list[UUID] = []
        while portion := await in_transaction(info.context.pool, work):
            replayed += portion
        shown = await failures.read(info.context.pool, replayed[:_REPLAY_SHOWN])
        return ReplayPayload(
            replayed=len(replayed), failures=[Failure.of(one) for one in shown.values()]
        )

    @strawberry.mutation(
        description="Say what is right of tracks, and is measured or tagged otherwise. It wins, and"
        " outlasts new analyses, tags and places. One result a track, in order."
    )
    async def correct_tracks(
        self, info: Info, items: Annotated[list[CorrectionInput], _INPUT]
    ) -> TrackUpsertPayload:
        """Store, and let vectorizer and indexer know."""
        context = info.context
        return TrackUpsertPayload.of(
            await correcting.correct(context.pool, context.bus, _rows(items, given))
        )

    @strawberry.mutation(
        description="Analyse nothing more until `resumeAnalysis`; what is under way is finished."
        " True where that changed anything."
    )
    async def pause_analysis(self, info: Info) -> bool:
        """The analyzers ask before each batch."""
        return await pause.pause(info.context.pool)

    @strawberry.mutation(description="Go on. True where that changed anything.")
    async def resume_analysis(self, info: Info) -> bool:
        """Within seconds."""
        return await pause.resume(info.context.pool)

    @strawberry.mutation(
        permission_classes=_FOR_SERVICES,
        description="For the extractor: the library and scan that an event speaks of; the same"
        " event, the same scan.",
    )
    async def begin_scan(
        self, info: Info, told: Annotated[BeginScanInput, _INPUT]
    ) -> BeginScanPayload:
        """The walk begins; a scan that is over stays so."""
        row = rows([told])[0]

        async def work(connection: asyncpg.Connection) -> UUID:
            scan = checks.optional_identifier(row, "scan_id", IdKind.SCAN)
            if scan is None:
                scan, _ = await _find_scan(connection, row)
            await scans.begin(connection, scan)
            return scan

        scan, error = await _scan_or_error(info.context.pool, work)
        return BeginScanPayload(scan=None if scan is None else Scan.of(scan), error=error)

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def report_walk(
        self, info: Info, told: Annotated[ReportWalkInput, _INPUT]
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

        scan, error = await _scan_or_error(info.context.pool, work)
        return ReportWalkPayload(scan=None if scan is None else Scan.of(scan), error=error)

    @strawberry.mutation(
        permission_classes=_FOR_SERVICES,
        description="Mark files missing; one result a path, with the track concerned.",
    )
    async def mark_missing(
        self, info: Info, library_id: strawberry.ID, paths: list[str]
    ) -> TrackUpsertPayload:
        """The tracks are kept."""
        if len(paths) > MOST_ITEMS:
            raise _bad_request(f"send at most {MOST_ITEMS:,} paths a call")
        library = _uuid("libraryId", library_id, IdKind.LIBRARY)
        return TrackUpsertPayload.of(await files.mark_missing(info.context.pool, library, paths))

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_artists(
        self, info: Info, items: Annotated[list[ArtistInput], _INPUT]
    ) -> UpsertPayload:
        """Upsert by name and MusicBrainz id."""
        return UpsertPayload.of(IdKind.ARTIST, await artists.store(info.context.pool, _rows(items)))

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_albums(
        self, info: Info, items: Annotated[list[AlbumInput], _INPUT]
    ) -> UpsertPayload:
        """Upsert by what makes an album."""
        return UpsertPayload.of(IdKind.ALBUM, await albums.store(info.context.pool, _rows(items)))

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_tracks(
        self,
        info: Info,
        library_id: strawberry.ID,
        items: Annotated[list[TrackInput], _INPUT],
        scan_id: strawberry.ID | None = UNSET,
    ) -> TrackUpsertPayload:
        """Upsert by path."""
        library = _uuid("libraryId", library_id, IdKind.LIBRARY)
        scan = _uuid("scanId", scan_id, IdKind.SCAN) if scan_id else None
        return TrackUpsertPayload.of(
            await tracks.store(info.context.pool, library, scan, _rows(items))
        )

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_analyses(
        self, info: Info, items: Annotated[list[AnalysisInput], _INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and analyzer version."""
        return TrackUpsertPayload.of(await analyses.store(info.context.pool, _rows(items)))

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_vectors(
        self, info: Info, items: Annotated[list[VectorInput], _INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and space."""
        return TrackUpsertPayload.of(await vectors.store(info.context.pool, _rows(items)))

    @strawberry.mutation(permission_classes=_FOR_SERVICES)
    async def create_failures(
        self, info: Info, items: Annotated[list[FailureInput], _INPUT]
    ) -> UpsertPayload:
        """Keep what a stage gave up."""
        letters = [_letter(row) for row in _rows(items)]
        return UpsertPayload.of(IdKind.FAILURE, await failures.store(info.context.pool, letters))

    @strawberry.mutation(
        permission_classes=_FOR_SERVICES,
        description="Say which spaces the vectorizer fills now; a changed one makes all tracks"
        " wait for new vectors.",
    )
    async def register_vector_spaces(
        self, info: Info, items: Annotated[list[VectorSpaceInput], _INPUT]
    ) -> bool:
        """Whether that changed anything."""
        try:
            spaces = [vectors.check_space(row) for row in _rows(items)]
        except Unfit as unfit:
            raise _bad_request(str(unfit)) from None
        return await vectors.register(info.context.pool, spaces)

    @strawberry.mutation(
        permission_classes=_FOR_SERVICES,
        description="Say which trained model the analyzers hear with; tracks that were analysed"
        " without it, or with another, wait for a new analysis.",
    )
    async def register_audio_model(
        self, info: Info, told: Annotated[AudioModelInput, _INPUT]
    ) -> bool:
        """True; what answers until then stays."""
        try:
            model = AudioModel.model_validate(rows([told])[0])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise _bad_request(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        await meanings.register(info.context.pool, model)
        return True

    @strawberry.mutation(
        permission_classes=_FOR_SERVICES,
        description="Say which search index is in use; another one than before makes all tracks"
        " wait for indexing.",
    )
    async def register_search_generation(self, info: Info, generation: str) -> bool:
        """Whether that changed anything."""
        return await _register_generation(info.context.pool, generation)


async def _register_generation(pool: asyncpg.Pool, told: str) -> bool:
    try:
        return await generation.register(pool, checks.text({"generation": told}, "generation"))
    except Unfit as unfit:
        raise _bad_request(str(unfit)) from None


def _letter(row: dict[str, Any]) -> DeadLetter:
    try:
        key = base64.b64decode(row["key_base64"], validate=True)
        value = base64.b64decode(row["value_base64"], validate=True)
    except (binascii.Error, ValueError):
        raise _bad_request("keyBase64 and valueBase64 must be base64") from None
    return DeadLetter(
        record=Record(topic=row["topic"], key=key, value=value),
        stage=row["stage"],
        kind=FailureKind(row["kind"]),
        message=row["message"],
        detail=row["detail"] or "",
        attempts=row["attempts"] or 1,
    )
