"""`file.found` and `file.missing` in; files read and stored; `track.extracted` out."""

import asyncio
from collections.abc import Sequence

import structlog

from services.extractor.libraries import Libraries, UnknownLibrary
from services.extractor.read.jobs import ChunkRead
from services.extractor.read.readers import Readers
from services.extractor.scan.ignore_rules import IgnoreRules, is_seen
from services.extractor.store.batch_store import BatchStore
from services.extractor.store.moved_files import has_entries
from services.extractor.tags.rules_file import BadRules
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import InvalidInput, RetryLater
from shared.contracts.events import FileFound, FileMissing, TrackChange, TrackExtracted
from shared.contracts.upserts import ErrorCode, UpsertStatus
from shared.gateway.client import Gateway
from shared.gateway.extraction import mark_missing
from shared.gateway.results import TrackResult, UserError

_log = structlog.get_logger(__name__)

_CHANGES = {
    UpsertStatus.CREATED: TrackChange.CREATED,
    UpsertStatus.UPDATED: TrackChange.UPDATED,
    UpsertStatus.RETURNED: TrackChange.RETURNED,
}


class ReadFiles:
    """Handles `file.found`: reads tags and covers, and stores them."""

    def __init__(self, libraries: Libraries, readers: Readers, store: BatchStore) -> None:
        self._libraries = libraries
        self._readers = readers
        self._store = store

    async def __call__(self, events: Sequence[FileFound]) -> Outcome:
        """Read each file of the batch once. A file that fails rejects its own events alone."""
        groups: dict[tuple[str, str], dict[str, list[FileFound]]] = {}
        for event in events:
            paths = groups.setdefault((event.library_id, event.scan_id), {})
            paths.setdefault(event.path, []).append(event)
        emit: list[TrackExtracted] = []
        rejected: list[Rejected] = []
        for (library_id, scan_id), by_path in groups.items():
            try:
                extracted, refused = await self._read(library_id, scan_id, by_path)
            except BadRules as error:
                # The files are not at fault: the next scan reads them again.
                reason = RetryLater(f"not read: {error}")
                rejected += [Rejected(e, reason) for events in by_path.values() for e in events]
                continue
            except UnknownLibrary as error:
                _log.info("not read", reason=str(error), files=len(by_path))
                continue
            emit += extracted
            rejected += refused
        return Outcome(emit, rejected)

    async def _read(
        self, library_id: str, scan_id: str, by_path: dict[str, list[FileFound]]
    ) -> tuple[list[TrackExtracted], list[Rejected]]:
        root = await self._libraries.root_of(library_id)
        chunk = await self._readers.files(root, sorted(by_path))
        results, vacated = await self._store.store(
            root=root, library_id=library_id, scan_id=scan_id, chunk=chunk
        )
        errors = await _errors(root, chunk, results)
        emit = _track_events(results)
        if vacated:
            # Without the scan's id: these files have events of their own, before or after this
            # one, which count them for the scan.
            again = await self._readers.files(root, vacated)
            results, _ = await self._store.store(
                root=root, library_id=library_id, scan_id=None, chunk=again
            )
            emit += _track_events(results)
        rejected = [
            Rejected(event, error) for path, error in errors.items() for event in by_path[path]
        ]
        return emit, rejected


async def _errors(
    root: str, chunk: ChunkRead, results: Sequence[TrackResult]
) -> dict[str, Exception]:
    """The error by path of each file that could not be read or stored."""
    errors: dict[str, Exception] = {
        file.path: file.error for file in chunk.files if file.error is not None
    }
    if errors and not await asyncio.to_thread(has_entries, root):
        # The files are not at fault: the next scan reads them again.
        gone = RetryLater(f"the library's root {root} is gone or empty: is a disk not mounted?")
        return dict.fromkeys(errors, gone)
    paths = [file.path for file in chunk.files if file.error is None]
    for path, result in zip(paths, results, strict=True):
        if result.error is not None and not _is_of_removed_library(result.error):
            errors[path] = InvalidInput(result.error.message)
    return errors


def _is_of_removed_library(error: UserError) -> bool:
    return error.code is ErrorCode.NOT_FOUND and error.field == "libraryId"


def _track_events(results: Sequence[TrackResult]) -> list[TrackExtracted]:
    """The events of tracks that changed; `UNCHANGED` ones have none."""
    return [
        _track_event(result.id, result, _CHANGES[result.status])
        for result in results
        if result.id is not None and result.status in _CHANGES
    ]


def _track_event(track_id: str, result: TrackResult, change: TrackChange) -> TrackExtracted:
    return TrackExtracted(
        track_id=track_id,
        change=change,
        content_revision=result.content_revision or 0,
        revision=result.revision or 0,
    )


class MarkMissing:
    """Handles `file.missing`: the track stays, and is marked as missing."""

    def __init__(self, gateway: Gateway, libraries: Libraries, ignore_rules: IgnoreRules) -> None:
        self._gateway = gateway
        self._libraries = libraries
        self._ignore_rules = ignore_rules

    async def __call__(self, events: Sequence[FileMissing]) -> Outcome:
        """Mark the files of the batch that are still not there."""
        by_library: dict[str, set[str]] = {}
        for event in events:
            by_library.setdefault(event.library_id, set()).add(event.path)
        emit: list[TrackExtracted] = []
        for library_id, paths in by_library.items():
            try:
                root = await self._libraries.root_of(library_id)
            except UnknownLibrary as error:
                _log.info("not looked for", reason=str(error), files=len(paths))
                continue
            # This event and a `file.found` of the same file come in any order. So neither is
            # believed: the disk decides.
            gone = await asyncio.to_thread(self._not_seen, root, sorted(paths))
            results = await mark_missing(self._gateway, library_id, gone)
            emit += [
                _track_event(result.id, result, TrackChange.MISSING)
                for result in results
                if result.id is not None and result.status is UpsertStatus.UPDATED
            ]
        return Outcome(emit)

    def _not_seen(self, root: str, paths: Sequence[str]) -> list[str]:
        return [path for path in paths if not is_seen(root, path, self._ignore_rules)]
