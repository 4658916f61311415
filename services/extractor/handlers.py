"""`file.found` and `file.missing` in; files read and stored; `track.extracted` out."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from services.extractor.read.file_reader import ChunkRead
from services.extractor.read.readers import Readers
from services.extractor.scan.ignore_rules import Ignoring, is_seen
from services.extractor.store.libraries import Libraries
from services.extractor.store.storing import Storing
from services.extractor.tags.rules_file import BadRules
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import InvalidInput, TransientError
from shared.contracts.events import FileFound, FileMissing, TrackChange, TrackExtracted
from shared.gateway.client import JSON, Gateway
from shared.gateway.extraction import mark_missing

_CHANGES = {
    "CREATED": TrackChange.CREATED,
    "UPDATED": TrackChange.UPDATED,
    "RETURNED": TrackChange.RETURNED,
}


class ReadFiles:
    """Handles `file.found`: reads tags and covers, and stores them."""

    def __init__(self, libraries: Libraries, readers: Readers, storing: Storing) -> None:
        self._libraries = libraries
        self._readers = readers
        self._storing = storing

    async def __call__(self, events: Sequence[FileFound]) -> Outcome:
        """Read each file of the batch once; what is wrong with one is that one's failure."""
        groups: dict[tuple[str, str], dict[str, list[FileFound]]] = {}
        for event in events:
            paths = groups.setdefault((event.library_id, event.scan_id), {})
            paths.setdefault(event.path, []).append(event)
        emit: list[TrackExtracted] = []
        rejected: list[Rejected] = []
        for (library_id, scan_id), by_path in groups.items():
            try:
                outcome = await self._read(library_id, scan_id, by_path)
            except BadRules as error:
                # Not the files' fault: the next scan shall try them again.
                told = TransientError(f"not read: {error}")
                rejected += [Rejected(e, told) for events in by_path.values() for e in events]
                continue
            emit += outcome[0]
            rejected += outcome[1]
        return Outcome(emit, rejected)

    async def _read(
        self, library_id: str, scan_id: str, by_path: dict[str, list[FileFound]]
    ) -> tuple[list[TrackExtracted], list[Rejected]]:
        root = await self._libraries.root_of(library_id)
        chunk = await self._readers.files(root, sorted(by_path))
        results, freed = await self._storing.store(
            root=root, library_id=library_id, scan_id=scan_id, chunk=chunk
        )
        errors = await _errors(root, chunk, results)
        emit = _extracted(results)
        if freed:
            # Their own events may be over; where they are not, they count them for the scan.
            again = await self._readers.files(root, freed)
            results, _ = await self._storing.store(
                root=root, library_id=library_id, scan_id=None, chunk=again
            )
            emit += _extracted(results)
        rejected = [
            Rejected(event, error) for path, error in errors.items() for event in by_path[path]
        ]
        return emit, rejected


async def _errors(root: str, chunk: ChunkRead, results: Sequence[JSON]) -> dict[str, Exception]:
    """What was wrong, by path: reading it, or storing it."""
    errors: dict[str, Exception] = {
        file.path: file.error for file in chunk.files if file.error is not None
    }
    if errors and not await asyncio.to_thread(_has_anything, root):
        # Not the files' fault: the next scan shall try them again.
        gone = TransientError(f"the library's root {root} is gone or empty: is a disk not mounted?")
        return dict.fromkeys(errors, gone)
    read = [file.path for file in chunk.files if file.track_fields is not None]
    for path, result in zip(read, results, strict=True):
        if result["error"] is not None:
            errors[path] = InvalidInput(result["error"]["message"])
    return errors


def _has_anything(root: str) -> bool:
    try:
        return any(Path(root).iterdir())
    except OSError:
        return False


def _extracted(results: Sequence[JSON]) -> list[TrackExtracted]:
    return [
        TrackExtracted(
            track_id=result["id"],
            change=_CHANGES[result["status"]],
            content_revision=result["contentRevision"],
            revision=result["revision"],
        )
        for result in results
        if result["status"] in _CHANGES
    ]


class MarkMissing:
    """Handles `file.missing`: the track is kept, and said to be missing."""

    def __init__(self, gateway: Gateway, libraries: Libraries, ignoring: Ignoring) -> None:
        self._gateway = gateway
        self._libraries = libraries
        self._ignoring = ignoring

    async def __call__(self, events: Sequence[FileMissing]) -> Outcome:
        """Mark the files of the batch that are still not there."""
        by_library: dict[str, set[str]] = {}
        for event in events:
            by_library.setdefault(event.library_id, set()).add(event.path)
        emit: list[TrackExtracted] = []
        for library_id, paths in by_library.items():
            root = await self._libraries.root_of(library_id)
            # This event and `file.found` of the same file have no order: the file itself decides.
            gone = await asyncio.to_thread(self._unseen, root, sorted(paths))
            results = await mark_missing(self._gateway, library_id, gone)
            emit += [
                _gone(result)
                for result in results
                if result["status"] == "UPDATED" and result["id"]
            ]
        return Outcome(emit)

    def _unseen(self, root: str, paths: Sequence[str]) -> list[str]:
        return [path for path in paths if not is_seen(root, path, self._ignoring)]


def _gone(result: JSON) -> TrackExtracted:
    return TrackExtracted(
        track_id=result["id"],
        change=TrackChange.MISSING,
        content_revision=result["contentRevision"],
        revision=result["revision"],
    )
