"""`track.extracted` in, files decoded and described, `audio.analyzed` out."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.analyzer.acoustid import AcoustId
from services.analyzer.jobs import describe
from shared.bus.port import Outcome, Rejected
from shared.contracts.analysis import Analysis
from shared.contracts.errors import DependencyDown, InvalidInput, TransientError
from shared.contracts.events import AudioAnalyzed, TrackExtracted
from shared.contracts.identity import local_path
from shared.contracts.meaning import AudioModel
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.analysis import (
    analysis_input,
    create_analyses,
    is_paused,
    tracks_to_analyze,
)
from shared.gateway.client import JSON, Gateway
from shared.runtime.logs import about
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

_OUTDATED = {"STALE", "NOT_FOUND"}


class AnalyzeTracks:
    """Analyses each track whose sound has none by this version yet.

    Args:
        gateway: where tracks are read and analyses stored.
        workers: the processes that decode.
        timeout_s: longest time for one file.
        heard_s: of a longer track so much is heard for what needs its spectrum.
        mounts: library name -> where this host has it, if elsewhere than its root.
        acoustid: looks fingerprints up, where it is configured.
        model: the trained model that is at hand: an analysis without it does not count.
    """

    def __init__(
        self,
        gateway: Gateway,
        workers: WorkerProcesses,
        *,
        timeout_s: float,
        heard_s: float,
        mounts: Mapping[str, str],
        acoustid: AcoustId | None = None,
        model: AudioModel | None = None,
    ) -> None:
        self._gateway = gateway
        self._workers = workers
        self._timeout_s = timeout_s
        self._heard_s = heard_s
        self._mounts = mounts
        self._acoustid = acoustid
        self._model = model

    async def __call__(self, events: Sequence[TrackExtracted]) -> Outcome:
        """Analyse a batch, its files side by side; what is wrong with one is that one's failure."""
        by_track = {event.track_id: event for event in events}
        found = await tracks_to_analyze(self._gateway, list(by_track))
        tracks = [track for track in found if self._is_waiting(track)]
        if tracks and await is_paused(self._gateway):
            # The bus waits as for a server that is away: unbounded, seen, nothing is lost.
            raise DependencyDown("the analysis was paused: `soniquebay resume` goes on")
        results = await asyncio.gather(
            *(self._attempt(track, by_track[track["id"]]) for track in tracks)
        )
        analyses = [
            (track, result)
            for track, result in zip(tracks, results, strict=True)
            if isinstance(result, Analysis)
        ]
        rejected = [
            Rejected(by_track[track["id"]], result)
            for track, result in zip(tracks, results, strict=True)
            if isinstance(result, Exception)
        ]
        stopped = [each.error for each in rejected if isinstance(each.error, DependencyDown)]
        if stopped:
            raise stopped[0]
        known = [_analyzed(track) for track in found if self._is_analyzed(track)]
        return Outcome([*known, *await self._store(analyses)], rejected)

    def _is_waiting(self, track: JSON) -> bool:
        analysis = track["analysis"]
        return not track["isMissing"] and (
            analysis is None
            or analysis["analyzerVersion"] != ANALYZER_VERSION
            or analysis["contentRevision"] != track["contentRevision"]
            or (self._model is not None and not _is_heard_with(self._model, analysis["meaning"]))
        )

    def _is_analyzed(self, track: JSON) -> bool:
        """Whether only the next event lacks: of a known sound, retagged, or cut off before it."""
        is_there = not track["isMissing"] and track["stage"] == "ANALYZED"
        return is_there and not self._is_waiting(track)

    async def _attempt(self, track: JSON, event: TrackExtracted) -> Analysis | Exception:
        try:
            with about(event):
                return await self._analyze(track)
        except WorkerTimeout:
            return InvalidInput(
                f"its analysis took longer than {self._timeout_s:g} s, and was ended"
                " (`SONIQUEBAY_ANALYSIS_TIMEOUT_S` allows more)"
            )
        except WorkerDied:
            return InvalidInput("it makes the decoder crash: the file is damaged")
        except Exception as error:  # gathered: one file's error, whatever it is, stops no other
            return error

    async def _analyze(self, track: JSON) -> Analysis:
        library = track["library"]
        root = self._mounts.get(library["name"], library["root"])
        try:
            path = local_path(root, track["path"])
            analysis = await self._workers.run_within(
                self._timeout_s, describe, path, self._heard_s
            )
        except InvalidInput as error:
            if await asyncio.to_thread(_is_empty, root):
                # Not the file's fault: it shall be tried again when the disk is back.
                raise TransientError(
                    f"the library's root {root} is gone or empty: is a disk not mounted?"
                ) from error
            raise
        if self._acoustid is None or analysis.fingerprint is None:
            return analysis
        known = await self._acoustid.look_up(analysis.fingerprint, analysis.analyzed_duration_s)
        return analysis.model_copy(update={"acoustid_id": known})

    async def _store(self, analyses: Sequence[tuple[JSON, Analysis]]) -> list[AudioAnalyzed]:
        if not analyses:
            return []
        items = [
            analysis_input(track["id"], track["contentRevision"], analysis)
            for track, analysis in analyses
        ]
        results = await create_analyses(self._gateway, items)
        return [_analyzed(result) for result in results if _is_stored(result)]


def _is_heard_with(model: AudioModel, meaning: JSON | None) -> bool:
    return meaning is not None and meaning == {"model": model.model, "version": model.version}


def _is_empty(root: str) -> bool:
    try:
        return not any(Path(root).iterdir())
    except OSError:
        return True


def _is_stored(result: JSON) -> bool:
    """What changed or went meanwhile is left to its newer event; any other refusal is a bug."""
    error = result["error"]
    if error is not None and error["code"] not in _OUTDATED:
        raise ValueError(f"the gateway refused an analysis: {error['message']}")
    return error is None


def _analyzed(result: JSON) -> AudioAnalyzed:
    """The event of a stored analysis, or of a track that has one."""
    return AudioAnalyzed(
        track_id=result["id"],
        analyzer_version=ANALYZER_VERSION,
        content_revision=result["contentRevision"],
        revision=result["revision"],
    )
