"""`track.extracted` in, analyses stored, `audio.analyzed` out."""

import asyncio
from collections.abc import Mapping, Sequence

from services.analyzer.acoustid import AcoustId
from services.analyzer.description import describe
from shared.bus.port import Outcome, Rejected
from shared.contracts.analysis import Analysis
from shared.contracts.events import AudioAnalyzed, TrackChange, TrackExtracted
from shared.contracts.identity import local_path
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.analysis import analysis_input, create_analyses, tracks_to_analyze
from shared.gateway.client import JSON, Gateway
from shared.runtime.workers import WorkerProcesses


class AnalyzeTracks:
    """Analyses each track whose file is there and whose content has no current analysis.

    Args:
        gateway: the gateway.
        workers: where the files are decoded and analysed.
        timeout_s: longest time a file may take.
        mounts: where libraries are on this host, by name; else at their root.
        acoustid: asked for each fingerprint, where there is one.
    """

    def __init__(
        self,
        gateway: Gateway,
        workers: WorkerProcesses,
        *,
        timeout_s: float,
        mounts: Mapping[str, str],
        acoustid: AcoustId | None,
    ) -> None:
        self._gateway = gateway
        self._workers = workers
        self._timeout_s = timeout_s
        self._mounts = mounts
        self._acoustid = acoustid

    async def __call__(self, events: Sequence[TrackExtracted]) -> Outcome:
        """Analyse a batch side by side; what is wrong with a file is that one's failure."""
        newest = {
            event.track_id: event for event in events if event.change is not TrackChange.MISSING
        }
        found = await tracks_to_analyze(self._gateway, list(newest))
        tracks = [track for track in found if _is_due(track)]
        results = await asyncio.gather(
            *(self._analyze(track) for track in tracks), return_exceptions=True
        )
        items: list[JSON] = []
        rejected: list[Rejected] = []
        for track, result in zip(tracks, results, strict=True):
            if isinstance(result, Analysis):
                items.append(analysis_input(track["id"], track["contentRevision"], result))
            elif isinstance(result, Exception):
                rejected.append(Rejected(newest[track["id"]], result))
            else:
                raise result  # a cancellation
        stored = await create_analyses(self._gateway, items) if items else []
        return Outcome([_analyzed(result) for result in stored if _stands(result)], rejected)

    async def _analyze(self, track: JSON) -> Analysis:
        library = track["library"]
        path = local_path(self._mounts.get(library["name"], library["root"]), track["path"])
        analysis = await self._workers.run_within(self._timeout_s, describe, path)
        if self._acoustid is None or analysis.fingerprint is None:
            return analysis
        found = await self._acoustid.look_up(analysis.fingerprint, analysis.analyzed_duration_s)
        return analysis.model_copy(update={"acoustid_id": found})


def _is_due(track: JSON) -> bool:
    """Whether there is a file whose content has no current analysis."""
    done = track["analysis"]
    is_current = (
        done is not None
        and done["analyzerVersion"] == ANALYZER_VERSION
        and done["contentRevision"] == track["contentRevision"]
    )
    return not track["isMissing"] and not is_current


def _stands(result: JSON) -> bool:
    """Whether it was stored; one of a file that changed meanwhile is left to its newer event."""
    error = result["error"]
    if error is not None and error["code"] not in {"STALE", "NOT_FOUND"}:
        raise ValueError(f"the gateway refused an analysis: {error['message']}")
    return error is None


def _analyzed(result: JSON) -> AudioAnalyzed:
    return AudioAnalyzed(
        track_id=result["id"],
        analyzer_version=ANALYZER_VERSION,
        content_revision=result["contentRevision"],
        revision=result["revision"],
    )
