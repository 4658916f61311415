"""Consumes `track.extracted`, analyses the files, stores the analyses, emits `audio.analyzed`."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
from shared.runtime.logs import about
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

if TYPE_CHECKING:  # its HTTP client takes a while to import, and few have a key
    from services.analyzer.acoustid.client import AcoustId

_SUPERSEDED = {ErrorCode.STALE, ErrorCode.NOT_FOUND}
"""Error codes of a track that was changed or removed since its event."""


class AnalyzeTracks:
    """Analyses each track that has no analysis of its content by this analyzer version and model.

    Args:
        gateway: reads tracks and stores analyses.
        workers: the processes that decode and analyse.
        timeout_s: longest time for one file.
        max_excerpt_s: the spectrum of so much of a track is analysed.
        mounts: library name -> its folder on this host, where that is not the library's root.
        acoustid: looks up fingerprints, where a key is configured.
        model: the installed trained model, if any: an analysis without it is made anew.
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
    ) -> None:
        self._gateway = gateway
        self._workers = workers
        self._timeout_s = timeout_s
        self._max_excerpt_s = max_excerpt_s
        self._mounts = mounts
        self._acoustid = acoustid
        self._model = model

    async def __call__(self, events: Sequence[TrackExtracted]) -> Outcome:
        """Analyse the files of a batch in parallel; one that fails does not fail the others.

        Raises:
            DependencyDown: the analysis is paused, or the worker processes are stopped.
        """
        events_by_track = {event.track_id: event for event in events}
        known = await tracks_to_analyze(self._gateway, list(events_by_track))
        tracks = [track for track in known if self._needs_analysis(track)]
        if tracks and await is_paused(self._gateway):
            # The bus then waits as for a server that is down: without limit, and visibly.
            raise DependencyDown("the analysis is paused: `soniquebay resume` continues it")
        results = await asyncio.gather(
            *(self._attempt(track, events_by_track[track.id]) for track in tracks)
        )
        analyses = [
            (track, result)
            for track, result in zip(tracks, results, strict=True)
            if isinstance(result, Analysis)
        ]
        rejected = [
            Rejected(events_by_track[track.id], result)
            for track, result in zip(tracks, results, strict=True)
            if isinstance(result, Exception)
        ]
        outages = [each.error for each in rejected if isinstance(each.error, DependencyDown)]
        if outages:
            raise outages[0]
        analyzed_before = [
            _event(track.id, track.content_revision, track.revision)
            for track in known
            if self._lacks_only_event(track)
        ]
        return Outcome([*analyzed_before, *await self._store(analyses)], rejected)

    def _needs_analysis(self, track: TrackToAnalyze) -> bool:
        """Whether a track has no analysis of its content by this version and model."""
        analysis = track.analysis
        return not track.is_missing and (
            analysis is None
            or analysis.analyzer_version != ANALYZER_VERSION
            or analysis.content_revision != track.content_revision
            or (self._model is not None and not _is_by(self._model, analysis.meaning))
        )

    def _lacks_only_event(self, track: TrackToAnalyze) -> bool:
        """Whether the analysis is current and only `audio.analyzed` must be emitted.

        This is so where another file has the same audio, where only the tags were changed, and
        where the service was stopped between storing and emitting.
        """
        is_analyzed = not track.is_missing and track.stage == "ANALYZED"
        return is_analyzed and not self._needs_analysis(track)

    async def _attempt(self, track: TrackToAnalyze, event: TrackExtracted) -> Analysis | Exception:
        """The analysis of a track, or the error of its file."""
        try:
            with about(event):
                return await self._analyze(track)
        except WorkerTimeout:
            return InvalidInput(
                f"its analysis took longer than {self._timeout_s:g} s and was stopped"
                " (`SONIQUEBAY_ANALYSIS_TIMEOUT_S` sets the limit)"
            )
        except WorkerDied:
            return InvalidInput("it crashes the decoder: the file is damaged")
        except Exception as error:  # any error of one file: the others of the batch go on
            return error

    async def _analyze(self, track: TrackToAnalyze) -> Analysis:
        """Analyse a track's file in a worker process, and look up its fingerprint."""
        library = track.library
        root = self._mounts.get(library.name, library.root)
        try:
            path = local_path(root, track.path)
            part = (track.part.start_s, track.part.end_s) if track.part else ()
            analysis = await self._workers.run_within(
                self._timeout_s, analyze_file, path, self._max_excerpt_s, *part
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

    async def _store(
        self, analyses: Sequence[tuple[TrackToAnalyze, Analysis]]
    ) -> list[AudioAnalyzed]:
        if not analyses:
            return []
        items = [
            AnalyzedTrack(track.id, track.content_revision, analysis)
            for track, analysis in analyses
        ]
        results = await create_analyses(self._gateway, items)
        return [
            _event(result.id, result.content_revision, result.revision)
            for result in results
            if _is_stored(result) and result.id is not None
        ]


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
