"""Consumes `track.extracted`, analyses the files, stores the analyses, emits `audio.analyzed`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from services.analyzer.request_batcher import RequestBatcher
from services.analyzer.worker import analyze_file
from shared.bus.port import Outcome, Rejected
from shared.contracts.analysis import Analysis
from shared.contracts.errors import DependencyDown, InvalidInput, TransientError
from shared.contracts.events import AudioAnalyzed, TrackExtracted
from shared.contracts.identity import local_path
from shared.contracts.meaning import AudioModel
from shared.contracts.upserts import ErrorCode
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.analysis import (
    AnalyzedTrack,
    HeardBy,
    TrackToAnalyze,
    create_analyses,
    is_paused,
    tracks_to_analyze,
)
from shared.gateway.client import Gateway
from shared.gateway.results import TrackResult
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

if TYPE_CHECKING:  # its HTTP client takes a while to import, and few have a key
    from services.analyzer.acoustid.client import AcoustId

_LOOK_UP_WAIT_S = 0.02
_STORE_WAIT_S = 0.5
_MOST_PER_REQUEST = 32
_SUPERSEDED = {ErrorCode.STALE, ErrorCode.NOT_FOUND}
"""Error codes of a track that was changed or removed since its event."""


class AnalyzeTracks:
    """Analyses each track that has no analysis of its content by this analyzer version and model.

    The bus has many events handled at a time, so that a file that takes long holds up no other.
    Their requests to the gateway are joined.

    Args:
        gateway: reads tracks and stores analyses.
        workers: the processes that decode and analyse.
        timeout_s: longest time for one file.
        max_excerpt_s: the spectrum of so much of a track is analysed.
        mounts: library name -> its folder on this host, where that is not the library's root.
        acoustid: looks up fingerprints, where a key is configured.
        model: the installed trained model, if any: an analysis without it is made anew.
        analyze: the job of the worker processes.
    """

    def __init__(
        self,
        gateway: Gateway,
        workers: WorkerProcesses,
        *,
        timeout_s: float,
        max_excerpt_s: float,
        mounts: Mapping[str, str],
        acoustid: "AcoustId | None" = None,
        model: AudioModel | None = None,
        analyze: Callable[[bytes, float], Analysis] = analyze_file,
    ) -> None:
        self._gateway = gateway
        self._workers = workers
        self._timeout_s = timeout_s
        self._max_excerpt_s = max_excerpt_s
        self._mounts = mounts
        self._acoustid = acoustid
        self._model = model
        self._analyze_file = analyze
        self._look_up = RequestBatcher(
            self._look_up_all, wait_s=_LOOK_UP_WAIT_S, most=_MOST_PER_REQUEST
        )
        self._store = RequestBatcher(
            partial(create_analyses, gateway), wait_s=_STORE_WAIT_S, most=_MOST_PER_REQUEST
        )

    async def __call__(self, events: Sequence[TrackExtracted]) -> Outcome:
        """Analyse the file of each event, of which the bus gives one at a time.

        Raises:
            DependencyDown: the analysis is paused, or the worker processes are stopped.
        """
        outcomes = [await self._handle(event) for event in events]
        return Outcome(
            [event for outcome in outcomes for event in outcome.emit],
            [event for outcome in outcomes for event in outcome.rejected],
        )

    async def _handle(self, event: TrackExtracted) -> Outcome:
        track = await self._look_up(event.track_id)
        if track is None or track.is_missing:
            return Outcome()
        if not self._needs_analysis(track):
            # Another file has the same audio, or only the tags were changed, or the service was
            # stopped between storing and emitting: only the event is missing.
            is_due = track.stage == "ANALYZED"
            return Outcome([_event(track.id, track.content_revision, track.revision)] * is_due)
        analysis = await self._attempt(track)
        if isinstance(analysis, Exception):
            return Outcome(rejected=[Rejected(event, analysis)])
        result = await self._store(AnalyzedTrack(track.id, track.content_revision, analysis))
        if not _is_stored(result) or result.id is None:
            return Outcome()
        return Outcome([_event(result.id, result.content_revision, result.revision)])

    async def _look_up_all(self, ids: Sequence[str]) -> list[TrackToAnalyze | None]:
        known = {track.id: track for track in await tracks_to_analyze(self._gateway, ids)}
        needs_any = any(not t.is_missing and self._needs_analysis(t) for t in known.values())
        if needs_any and await is_paused(self._gateway):
            # The bus then waits as for a server that is down: without limit, and visibly.
            raise DependencyDown("the analysis is paused: `soniquebay resume` continues it")
        return [known.get(track_id) for track_id in ids]

    def _needs_analysis(self, track: TrackToAnalyze) -> bool:
        """Whether a track has no analysis of its content by this version and model."""
        analysis = track.analysis
        return not track.is_missing and (
            analysis is None
            or analysis.analyzer_version != ANALYZER_VERSION
            or analysis.content_revision != track.content_revision
            or (self._model is not None and not _is_by(self._model, analysis.meaning))
        )

    async def _attempt(self, track: TrackToAnalyze) -> Analysis | Exception:
        """The analysis of a track, or the error of its file."""
        try:
            return await self._analyze(track)
        except WorkerTimeout:
            return InvalidInput(
                f"its analysis took longer than {self._timeout_s:g} s and was stopped"
                " (`SONIQUEBAY_ANALYSIS_TIMEOUT_S` sets the limit)"
            )
        except WorkerDied:
            return InvalidInput("it crashes the decoder: the file is damaged")
        except DependencyDown:
            raise
        except Exception as error:  # the disk's errors, too: the next scan tries again
            return error

    async def _analyze(self, track: TrackToAnalyze) -> Analysis:
        """Analyse a track's file in a worker process, and look up its fingerprint."""
        library = track.library
        root = self._mounts.get(library.name, library.root)
        try:
            path = local_path(root, track.path)
            part = (track.part.start_s, track.part.end_s) if track.part else ()
            analysis = await self._workers.run_within(
                self._timeout_s, self._analyze_file, path, self._max_excerpt_s, *part
            )
        except InvalidInput as error:
            if await asyncio.to_thread(_is_empty, root):
                # Every file of an unmounted disk would fail: try again when it is back.
                raise TransientError(
                    f"the library's root {root} is gone or empty: is a disk not mounted?"
                ) from error
            raise
        if self._acoustid is None or analysis.fingerprint is None:
            return analysis
        acoustid_id = await self._acoustid.look_up(
            analysis.fingerprint, analysis.analyzed_duration_s
        )
        return analysis.model_copy(update={"acoustid_id": acoustid_id})


def _is_by(model: AudioModel, meaning: HeardBy | None) -> bool:
    """Whether the meaning of an analysis is this model's."""
    return meaning == HeardBy(model.model, model.version)


def _is_empty(root: str) -> bool:
    """Whether a library's root has no entries or cannot be read, as where no disk is mounted."""
    try:
        return not any(Path(root).iterdir())
    except OSError:
        return True


def _is_stored(result: TrackResult) -> bool:
    """Whether an analysis was stored; not so where a newer event supersedes it.

    Raises:
        ValueError: the gateway refused it for another reason, which is a bug.
    """
    error = result.error
    if error is not None and error.code not in _SUPERSEDED:
        raise ValueError(f"the gateway refused an analysis: {error.message}")
    return error is None


def _event(track_id: str, content_revision: int | None, revision: int | None) -> AudioAnalyzed:
    return AudioAnalyzed(
        track_id=track_id,
        analyzer_version=ANALYZER_VERSION,
        content_revision=content_revision or 0,
        revision=revision or 0,
    )
