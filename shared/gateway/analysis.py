"""What the analyzer asks of the gateway and tells it."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

from shared.contracts.analysis import Analysis
from shared.contracts.meaning import AudioModel
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.client import JSON, Gateway
from shared.gateway.tracks import tracks_by_id

TO_ANALYZE = """
query ToAnalyze($ids: [ID!]!) {
  tracksById(ids: $ids) {
    id isMissing stage revision contentRevision path displayPath library { name root }
    analysis { analyzerVersion contentRevision meaning { model version } }
  }
}
"""
CREATE_ANALYSES = """
mutation CreateAnalyses($input: [AnalysisInput!]!) {
  createAnalyses(input: $input) { results { id revision contentRevision error { code message } } }
}
"""
REGISTER_AUDIO_MODEL = """
mutation RegisterAudioModel($input: AudioModelInput!) { registerAudioModel(input: $input) }
"""

ANALYSIS_PAUSED = "query AnalysisPaused { analysisPaused }"


async def is_paused(gateway: Gateway) -> bool:
    """Whether a person paused the analysis."""
    return bool((await gateway.execute(ANALYSIS_PAUSED, {}))["analysisPaused"])


async def tracks_to_analyze(gateway: Gateway, ids: Sequence[str]) -> list[JSON]:
    """Where the tracks' files are and what is analysed already, of those there are."""
    return await tracks_by_id(gateway, ids, TO_ANALYZE)


async def create_analyses(gateway: Gateway, items: Sequence[JSON]) -> list[JSON]:
    """Store analyses; one result an item, in order."""
    data = await gateway.execute(CREATE_ANALYSES, {"input": list(items)})
    results: list[JSON] = data["createAnalyses"]["results"]
    return results


async def register_audio_model(gateway: Gateway, model: AudioModel) -> None:
    """Say which trained model is heard with from now on."""
    await gateway.execute(REGISTER_AUDIO_MODEL, {"input": model.model_dump()})


def analysis_input(track_id: str, content_revision: int, analysis: Analysis) -> JSON:
    """An analysis as the schema's AnalysisInput."""
    told: JSON = {
        "trackId": track_id,
        "analyzerVersion": ANALYZER_VERSION,
        "contentRevision": content_revision,
    }
    fields = analysis.model_dump()
    if analysis.meaning is not None:
        fields["meaning"]["embedding"] = _vector(analysis.meaning.embedding)
    fields["bandwidth_kind"] = analysis.bandwidth_kind.upper()
    return told | {_camel(name): _told(value) for name, value in fields.items()}


def _vector(values: Sequence[float]) -> str:
    """The schema's scalar; without numpy, since the service's own process does without it."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _told(value: Any) -> Any:
    """Nested fields by the schema's names; words that are keys, those of tags, stay as they are."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_told(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {_camel(n): v if n == "tags" else _told(v) for n, v in value.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
