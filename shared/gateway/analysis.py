"""What the analyzer asks of the gateway and tells it."""

from collections.abc import Sequence

from shared.contracts.analysis import Analysis
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.client import JSON, Gateway
from shared.gateway.tracks import tracks_by_id

TO_ANALYZE = """
query ToAnalyze($ids: [ID!]!) {
  tracksById(ids: $ids) {
    id isMissing contentRevision path displayPath library { name root }
    analysis { analyzerVersion contentRevision }
  }
}
"""
CREATE_ANALYSES = """
mutation CreateAnalyses($input: [AnalysisInput!]!) {
  createAnalyses(input: $input) { results { id revision contentRevision error { code message } } }
}
"""


async def tracks_to_analyze(gateway: Gateway, ids: Sequence[str]) -> list[JSON]:
    """Where the tracks' files are and what is analysed already, of those there are."""
    return await tracks_by_id(gateway, ids, TO_ANALYZE)


async def create_analyses(gateway: Gateway, items: Sequence[JSON]) -> list[JSON]:
    """Store analyses; one result an item, in order."""
    data = await gateway.execute(CREATE_ANALYSES, {"input": list(items)})
    results: list[JSON] = data["createAnalyses"]["results"]
    return results


def analysis_input(track_id: str, content_revision: int, analysis: Analysis) -> JSON:
    """An analysis as the schema's AnalysisInput."""
    told: JSON = {
        "trackId": track_id,
        "analyzerVersion": ANALYZER_VERSION,
        "contentRevision": content_revision,
    }
    return told | {_camel(name): value for name, value in analysis.model_dump().items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
