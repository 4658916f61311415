"""What the indexer asks of the gateway and tells it."""

from collections.abc import Sequence

from shared.gateway.client import JSON, Gateway
from shared.gateway.tracks import tracks_by_id

TO_INDEX = """
query ToIndex($ids: [ID!]!) {
  tracksById(ids: $ids) {
    id revision isMissing title artistCredit displayPath year
    credits { creditedAs artist { name } } album { title artistCredit } genres { name }
    tempoBpm key mode
  }
}
"""
REGISTER_GENERATION = """
mutation RegisterSearchGeneration($generation: String!) {
  registerSearchGeneration(generation: $generation)
}
"""


async def tracks_to_index(gateway: Gateway, ids: Sequence[str]) -> list[JSON]:
    """What is searched of the tracks, those there are."""
    return await tracks_by_id(gateway, ids, TO_INDEX)


async def register_generation(gateway: Gateway, generation: str) -> bool:
    """Say which search index is in use; whether the gateway knew another one, or none."""
    told = await gateway.execute(REGISTER_GENERATION, {"generation": generation})
    return bool(told["registerSearchGeneration"])
