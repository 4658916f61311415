"""`scan.requested` in; the library is walked and compared; `file.found`, `file.missing` out.

Events are published in batches during the walk. So reading begins at once, and a library of any
size takes little memory. A walk that is interrupted starts again from the beginning: what was read
in the meantime is in the catalogue by then.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.extractor.libraries import Libraries
from services.extractor.scan.catalogue import RangeCursor
from services.extractor.scan.deletion_guard import DeletionGuard, WalkSummary, judge, not_below
from services.extractor.scan.diff import BATCH_FILES, REPORT_EVERY_S, diff_walk
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.listing import Problem
from services.extractor.scan.moved_library import describe_move, find_moved
from services.extractor.scan.walk import Walk, WalkedFile
from services.extractor.scan.walk_buffer import WalkBuffer
from services.extractor.tags.rules_file import BadRules, rules_of
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event, FileFound, FileMissing, ScanMode, ScanRequested
from shared.contracts.upserts import ErrorCode
from shared.gateway.client import Gateway, in_portions
from shared.gateway.scans import BeginScanInput, Library, ReportWalkInput, begin_scan, report_walk

_MAX_NAMED_PROBLEMS = 3
_FIX_RULES = "nothing was scanned. Correct it, and scan again"
_NOT_MOUNTED = "nothing was marked missing. Is a disk not mounted, or the name mistyped?"
Publish = Callable[[Sequence[Event]], Awaitable[None]]


@dataclass(slots=True)
class Counts:
    """What a walk has counted so far, in files."""

    seen: int = 0
    to_read: int = 0
    unchanged: int = 0
    missing: int = 0
    held: int = 0
    """Not seen, and not marked missing either."""
    known: int = 0
    """In the catalogue as present."""


@dataclass(frozen=True, slots=True)
class ScanToWalk:
    """A scan whose library is to be walked.

    Attributes:
        reads_all: files that did not change are read, too.
        accept_missing: a person says that files that are not seen are really gone.
        earlier_places: libraries that may have been moved to the root of this one.
    """

    id: str
    library: Library
    root: str
    folder: str
    reads_all: bool
    accept_missing: bool
    earlier_places: Sequence[Library] = ()


class _ScanGone(Exception):
    """The library was removed meanwhile, and the scan with it."""


class Scanner:
    """Handles `scan.requested`, one after another."""

    def __init__(
        self,
        gateway: Gateway,
        publish: Publish,
        libraries: Libraries,
        ignore_rules: IgnoreRules,
        guard: DeletionGuard,
    ) -> None:
        self._gateway = gateway
        self._publish = publish
        self._libraries = libraries
        self._ignore_rules = ignore_rules
        self._guard = guard

    async def __call__(self, events: Sequence[ScanRequested]) -> Outcome:
        """Walk the library of each event."""
        rejected = []
        for event in events:
            try:
                await self._scan(event)
            except _ScanGone:
                continue
            except InvalidInput as error:
                rejected.append(Rejected(event, error))
        return Outcome(rejected=rejected)

    async def _scan(self, event: ScanRequested) -> None:
        scan = await self._begin(event)
        if scan is None:
            return  # the event was delivered again after the scan had ended
        root = self._libraries.local_root(scan.library.name, scan.library.root)
        walk = Walk(root, scan.folder, self._ignore_rules)
        try:
            await asyncio.to_thread(walk.check_root)
            # Reading needs the library's rules. Without this check each file would fail by itself.
            await asyncio.to_thread(rules_of, root)
        except InvalidInput as error:
            advice = _FIX_RULES if isinstance(error, BadRules) else _NOT_MOUNTED
            await self._report(scan, Counts(), message=f"{error}: {advice}", is_refused=True)
            return
        moved = await find_moved(self._gateway, self._libraries, root, scan.earlier_places)
        if moved is not None:
            why = describe_move(moved, scan.root)
            await self._report(scan, Counts(), message=why, is_refused=True)
            return
        counts = Counts()
        missing = await self._walk(scan, walk, counts)
        message = await self._publish_missing(scan, walk, counts, missing)
        await self._report(scan, counts, message=message, is_finished=True)

    async def _begin(self, event: ScanRequested) -> ScanToWalk | None:
        """The scan that the event requests; None where it is over already."""
        request = BeginScanInput(
            scan_id=event.scan_id,
            library=event.library,
            root=event.root,
            folder=event.folder,
            mode=event.mode.name,
            accept_missing=event.accept_missing,
        )
        payload = await begin_scan(self._gateway, request)
        if payload.error is not None:
            if event.scan_id is not None and payload.error.code is ErrorCode.NOT_FOUND:
                raise _ScanGone
            raise InvalidInput(payload.error.message)
        scan = payload.scan
        if scan is None or scan.library is None or scan.state != "WALKING":
            return None
        return ScanToWalk(
            id=scan.id,
            library=scan.library,
            root=scan.root,
            folder=scan.folder,
            reads_all=scan.mode == ScanMode.FULL.name,
            accept_missing=scan.accept_missing,
            earlier_places=payload.earlier_places,
        )

    async def _walk(self, scan: ScanToWalk, walk: Walk, counts: Counts) -> list[str]:
        """Publish the files that are found; returns the known ones that were not seen."""
        ranges = RangeCursor(self._gateway, scan.library.id, scan.folder)
        missing: list[str] = []
        # Published in large batches where possible: a file that was moved is then in one batch
        # with the file that has its old name now.
        found: list[FileFound] = []
        reported_s = time.monotonic()
        async for part in diff_walk(WalkBuffer(walk.runs()), ranges, reads_all=scan.reads_all):
            counts.seen += len(part.found) + part.unchanged
            counts.to_read += len(part.found)
            counts.unchanged += part.unchanged
            counts.known += part.known
            missing += part.missing
            found += [_file_found(scan, file) for file in part.found]
            is_due = time.monotonic() >= reported_s + REPORT_EVERY_S
            if found and (is_due or len(found) >= BATCH_FILES):
                await self._publish(found)
                found = []
            if is_due:
                # Also a sign of life: the gateway requests a walk again that stops reporting.
                await self._report(scan, counts)
                reported_s = time.monotonic()
        if found:
            await self._publish(found)
        return missing

    async def _publish_missing(
        self, scan: ScanToWalk, walk: Walk, counts: Counts, missing: Sequence[str]
    ) -> str | None:
        """Publish what is missing, unless that looks like an accident; returns a note for people.

        This waits for the end of the walk, because the guard compares totals.
        """
        try:
            await asyncio.to_thread(walk.check_root)  # it may have been unmounted during the walk
        except InvalidInput as error:
            counts.held = len(missing)
            return f"{error}: {_NOT_MOUNTED}"
        problems = walk.notes.problems + _dangling_links(walk, missing)
        gone: Sequence[str] = not_below(missing, {problem.path for problem in problems})
        notes = [f"could not look at {problem}" for problem in problems[:_MAX_NAMED_PROBLEMS]]
        if len(problems) > _MAX_NAMED_PROBLEMS:
            notes.append(f"nor at {len(problems) - _MAX_NAMED_PROBLEMS:,} other places")
        unknown = len(missing) - len(gone)
        if unknown:
            notes.append(f"the {unknown:,} files known there stay as they are")
        if not scan.accept_missing:
            verdict = judge(_summary(scan, walk, counts, gone, unknown), self._guard)
            gone, counts.held = verdict.gone, verdict.held
            notes += [verdict.message] if verdict.message else []
        for portion in in_portions(gone, BATCH_FILES):
            await self._publish([_file_missing(scan, path) for path in portion])
        counts.missing = len(gone)
        return "; ".join(notes) or None

    async def _report(
        self,
        scan: ScanToWalk,
        counts: Counts,
        *,
        message: str | None = None,
        is_finished: bool = False,
        is_refused: bool = False,
    ) -> None:
        report = ReportWalkInput(
            scan_id=scan.id,
            files_seen=counts.seen,
            files_to_read=counts.to_read,
            files_unchanged=counts.unchanged,
            files_missing=counts.missing,
            files_held=counts.held,
            is_finished=is_finished,
            is_refused=is_refused,
            message=message,
        )
        error = await report_walk(self._gateway, report)
        if error is not None and error.code is ErrorCode.NOT_FOUND:
            raise _ScanGone
        if error is not None:
            raise InvalidInput(error.message)


def _dangling_links(walk: Walk, missing: Sequence[str]) -> list[Problem]:
    """Links to folders that do not exist, if files were known there: a disk may not be mounted."""
    links = walk.notes.dangling_links
    if not links or not missing:
        return []
    below = set(missing).difference(not_below(missing, links))
    return [
        Problem(link, "is a link to nothing")
        for link in sorted(links)
        if any(path.startswith(f"{link}/") for path in below)
    ]


def _summary(
    scan: ScanToWalk, walk: Walk, counts: Counts, missing: Sequence[str], unknown: int
) -> WalkSummary:
    return WalkSummary(
        place="/".join(part for part in (scan.root.rstrip("/"), walk.folder) if part) or "/",
        is_whole=not walk.folder,
        is_root_empty=walk.is_root_empty,
        seen=counts.seen,
        known=counts.known - unknown,
        missing=missing,
        empty_folders=walk.notes.empty_folders,
    )


def _file_found(scan: ScanToWalk, file: WalkedFile) -> FileFound:
    return FileFound(
        library_id=scan.library.id,
        scan_id=scan.id,
        path=file.path,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
    )


def _file_missing(scan: ScanToWalk, path: str) -> FileMissing:
    return FileMissing(library_id=scan.library.id, scan_id=scan.id, path=path)
