"""`scan.requested` in; the library is walked and compared; `file.found`, `file.missing` out.

Events are published in portions while the walk goes on, so that reading begins at once and a
library of whatever size takes little memory. A walk that is cut off begins anew: what was read
meanwhile is known by then.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.extractor.scan.catalogue_cursor import KnownStretches
from services.extractor.scan.compare import outside_of
from services.extractor.scan.deletion_guard import Guard, Listing, judge
from services.extractor.scan.diff import PORTION, TELL_EVERY_S, laid_beside
from services.extractor.scan.ignore_rules import Ignoring
from services.extractor.scan.listing import Problem
from services.extractor.scan.walk import Walk, WalkedFile
from services.extractor.scan.walk_buffer import Walked
from services.extractor.store.libraries import Libraries
from services.extractor.tags.rules_file import BadRules, rules_of
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event, FileFound, FileMissing, ScanMode, ScanRequested
from shared.gateway.client import JSON, Gateway, in_portions
from shared.gateway.extraction import begin_scan, report_walk

_MOST_TOLD = 3
_MEND = "nothing was scanned. Mend it, and scan again"
_NOT_MOUNTED = "nothing was marked missing. Is a disk not mounted, or the name mistyped?"
Publish = Callable[[Sequence[Event]], Awaitable[None]]


class ScanLibrary:
    """Handles `scan.requested`, one after another."""

    def __init__(
        self,
        gateway: Gateway,
        publish: Publish,
        libraries: Libraries,
        ignoring: Ignoring,
        guard: Guard,
    ) -> None:
        self._gateway = gateway
        self._publish = publish
        self._libraries = libraries
        self._ignoring = ignoring
        self._guard = guard

    async def __call__(self, events: Sequence[ScanRequested]) -> Outcome:
        """Walk each library that is asked for."""
        rejected = []
        for event in events:
            try:
                await self._scan(event)
            except InvalidInput as error:
                rejected.append(Rejected(event, error))
        return Outcome(rejected=rejected)

    async def _scan(self, event: ScanRequested) -> None:
        scan = await self._begin(event)
        if scan["state"] != "WALKING":
            return  # it is over: this event was repeated
        library = scan["library"]
        root = self._libraries.local_root(library["name"], library["root"])
        walk = Walk(root, scan["folder"], self._ignoring)
        try:
            await asyncio.to_thread(walk.check_root)
            await asyncio.to_thread(rules_of, root)
        except InvalidInput as error:
            is_rules = isinstance(error, BadRules)
            told = f"{error}: {_MEND if is_rules else _NOT_MOUNTED}"
            await self._report(scan, Counts(), message=told, is_refused=True)
            return
        counts = Counts()
        missing = await self._walk(scan, walk, counts)
        message = await self._tell_missing(scan, walk, counts, missing)
        await self._report(scan, counts, message=message, is_finished=True)

    async def _begin(self, event: ScanRequested) -> JSON:
        payload = await begin_scan(
            self._gateway,
            {
                "scanId": event.scan_id,
                "library": event.library,
                "root": event.root,
                "folder": event.folder,
                "mode": event.mode.name,
                "acceptMissing": event.accept_missing,
            },
        )
        if payload["error"] is not None:
            raise InvalidInput(payload["error"]["message"])
        scan: JSON = payload["scan"]
        return scan

    async def _walk(self, scan: JSON, walk: Walk, counts: "Counts") -> list[str]:
        """Publish what is found; returns the known files that were not seen."""
        known = KnownStretches(self._gateway, scan["library"]["id"], scan["folder"])
        reads_all = scan["mode"] == ScanMode.FULL.name
        missing: list[str] = []
        # Together where they can be: a file that was moved meets the one that has its name now.
        found: list[FileFound] = []
        told_s = time.monotonic()
        async for part in laid_beside(Walked(walk.runs()), known, reads_all=reads_all):
            counts.seen += len(part.found) + part.unchanged
            counts.to_read += len(part.found)
            counts.unchanged += part.unchanged
            counts.known += part.known
            missing += part.missing
            found += [_found(scan, file) for file in part.found]
            is_time = time.monotonic() >= told_s + TELL_EVERY_S
            if found and (is_time or len(found) >= PORTION):
                await self._publish(found)
                found = []
            if is_time:
                await self._report(scan, counts)
                told_s = time.monotonic()
        if found:
            await self._publish(found)
        return missing

    async def _tell_missing(
        self, scan: JSON, walk: Walk, counts: "Counts", missing: Sequence[str]
    ) -> str | None:
        """Publish what is missing, unless that looks like an accident; what to tell people."""
        try:
            await asyncio.to_thread(walk.check_root)  # it may have been unmounted meanwhile
        except InvalidInput as error:
            counts.held = len(missing)
            return f"{error}: {_NOT_MOUNTED}"
        problems = walk.noticed.problems + _dangling(walk, missing)
        gone: Sequence[str] = outside_of(missing, {problem.path for problem in problems})
        told = [f"could not look at {problem}" for problem in problems[:_MOST_TOLD]]
        if len(problems) > _MOST_TOLD:
            told.append(f"nor at {len(problems) - _MOST_TOLD:,} other places")
        if len(gone) < len(missing):
            told.append(f"the {len(missing) - len(gone):,} files known there stay as they are")
        if not scan["acceptMissing"]:
            unknown = len(missing) - len(gone)
            verdict = judge(_listing(scan, walk, counts, gone, unknown), self._guard)
            gone, counts.held = verdict.gone, verdict.held
            told += [verdict.message] if verdict.message else []
        for portion in in_portions(gone, PORTION):
            await self._publish([_missing(scan, path) for path in portion])
        counts.missing = len(gone)
        return "; ".join(told) or None

    async def _report(
        self,
        scan: JSON,
        counts: "Counts",
        *,
        message: str | None = None,
        is_finished: bool = False,
        is_refused: bool = False,
    ) -> None:
        told = {
            "scanId": scan["id"],
            "filesSeen": counts.seen,
            "filesToRead": counts.to_read,
            "filesUnchanged": counts.unchanged,
            "filesMissing": counts.missing,
            "filesHeld": counts.held,
            "isFinished": is_finished,
            "isRefused": is_refused,
            "message": message,
        }
        error = await report_walk(self._gateway, told)
        if error is not None:
            raise InvalidInput(error["message"])


@dataclass(slots=True)
class Counts:
    """What a walk has come by so far."""

    seen: int = 0
    to_read: int = 0
    unchanged: int = 0
    missing: int = 0
    held: int = 0
    """Not seen, and not marked missing either."""
    known: int = 0
    """Files that were there before."""


def _dangling(walk: Walk, missing: Sequence[str]) -> list[Problem]:
    """Links to folders that are not there, where files were known: a disk may not be mounted."""
    if not walk.noticed.dangling_links or not missing:
        return []
    inside = {path for path in missing if outside_of([path], walk.noticed.dangling_links) == []}
    return [
        Problem(link, "is a link to nothing")
        for link in sorted(walk.noticed.dangling_links)
        if any(path.startswith(f"{link}/") for path in inside)
    ]


def _listing(
    scan: JSON, walk: Walk, counts: "Counts", missing: Sequence[str], unknown: int
) -> Listing:
    return Listing(
        place="/".join(part for part in (scan["root"].rstrip("/"), walk.folder) if part) or "/",
        is_whole=not walk.folder,
        is_root_empty=walk.is_root_empty,
        seen=counts.seen,
        known=counts.known - unknown,
        missing=missing,
        empty_folders=walk.noticed.empty_folders,
    )


def _found(scan: JSON, file: WalkedFile) -> FileFound:
    return FileFound(
        library_id=scan["library"]["id"],
        scan_id=scan["id"],
        path=file.path,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
    )


def _missing(scan: JSON, path: str) -> FileMissing:
    return FileMissing(library_id=scan["library"]["id"], scan_id=scan["id"], path=path)
