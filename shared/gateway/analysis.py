"""The operations of the analyzer: reads tracks, stores analyses, registers its model."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from shared.contracts.analysis import Analysis
from shared.contracts.meaning import AudioModel
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.client import Gateway, camel_case, in_portions, operation
from shared.gateway.results import TrackResult, TrackResults

TrackStage = Literal["EXTRACTED", "ANALYZED", "VECTORIZED", "INDEXED"]
MOST_IDS = 500
"""The most tracks of one request."""


class LibraryRoot(msgspec.Struct):
    """A library's name, and the root that it was added with."""

    name: str
    root: str


class HeardBy(msgspec.Struct, frozen=True):
    """The trained model that an analysis was made with."""

    model: str
    version: str


class AnalysisState(msgspec.Struct, rename="camel"):
    """A stored analysis: by which version, of which content, with which model."""

    analyzer_version: str
    content_revision: int
    meaning: HeardBy | None


class FileRange(msgspec.Struct, frozen=True, rename="camel"):
    """Where a track begins and ends in its file, in seconds; `end_s` is None at the file's end."""

    start_s: float
    end_s: float | None


class TrackToAnalyze(msgspec.Struct, rename="camel"):
    """A track, where its file is, which part of it it is, and its stored analysis."""

    id: str
    is_missing: bool
    stage: TrackStage
    revision: int
    content_revision: int
    path: str
    display_path: str
    part: FileRange | None
    library: LibraryRoot
    analysis: AnalysisState | None


@dataclass(frozen=True, slots=True)
class AnalyzedTrack:
    """An analysis of a track's content of that revision."""

    track_id: str
    content_revision: int
    analysis: Analysis


class AudioModelInput(msgspec.Struct):
    """The trained model that analyses are made with now."""

    model: str
    version: str
    dimensions: int


ANALYSIS_PAUSED = operation("analysis_paused", bool)
TRACKS_TO_ANALYZE = operation("tracks_to_analyze", list[TrackToAnalyze | None], ids=list[str])
# The input is made from `Analysis`, whose fields a test compares with the schema's.
CREATE_ANALYSES = operation("create_analyses", TrackResults, input=list[dict[str, Any]])
REGISTER_AUDIO_MODEL = operation("register_audio_model", bool, input=AudioModelInput)


async def is_paused(gateway: Gateway) -> bool:
    """Whether a person paused the analysis."""
    return await gateway.execute(ANALYSIS_PAUSED)


async def tracks_to_analyze(gateway: Gateway, ids: Sequence[str]) -> list[TrackToAnalyze]:
    """The tracks that exist, each once, in the order of the ids."""
    found: list[TrackToAnalyze] = []
    for portion in in_portions(list(dict.fromkeys(ids)), MOST_IDS):
        tracks = await gateway.execute(TRACKS_TO_ANALYZE, ids=portion)
        found += [track for track in tracks if track is not None]
    return found


async def create_analyses(gateway: Gateway, items: Sequence[AnalyzedTrack]) -> list[TrackResult]:
    """Store analyses; one result an item, in order."""
    inputs = [_analysis_input(item) for item in items]
    return (await gateway.execute(CREATE_ANALYSES, input=inputs)).results


async def register_audio_model(gateway: Gateway, model: AudioModel) -> None:
    """Register the trained model that analyses are made with from now on."""
    model_input = AudioModelInput(model.model, model.version, model.dimensions)
    await gateway.execute(REGISTER_AUDIO_MODEL, input=model_input)


def _analysis_input(item: AnalyzedTrack) -> dict[str, Any]:
    """The schema's AnalysisInput."""
    analysis = item.analysis
    fields = analysis.model_dump()
    if analysis.meaning is not None:
        fields["meaning"]["embedding"] = _vector(analysis.meaning.embedding)
    fields["bandwidth_kind"] = analysis.bandwidth_kind.upper()
    return {
        "trackId": item.track_id,
        "analyzerVersion": ANALYZER_VERSION,
        "contentRevision": item.content_revision,
        **_camel_cased(fields),
    }


def _vector(values: Sequence[float]) -> str:
    """The schema's Vector; without numpy, which the service's main process does not import."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _camel_cased(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields under the schema's names. Keys of `tags` stay: they are the model's words."""
    return {
        camel_case(name): value if name == "tags" else _inner(value)
        for name, value in fields.items()
    }


def _inner(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_camel_cased(each) for each in value]
    return _camel_cased(value) if isinstance(value, dict) else value
