"""Tracks by id, with the fields that a worker asks for."""

from collections.abc import Sequence

from shared.gateway.client import JSON, Gateway, in_portions

MOST_IDS = 500


async def tracks_by_id(gateway: Gateway, ids: Sequence[str], document: str) -> list[JSON]:
    """Those of the tracks that there are, each once, in the order of the ids.

    Args:
        gateway: the gateway.
        ids: track ids; repeated ones are asked once.
        document: a query with the variable `$ids` whose only field is `tracksById`.
    """
    found: list[JSON] = []
    for portion in in_portions(list(dict.fromkeys(ids)), MOST_IDS):
        data = await gateway.execute(document, {"ids": list(portion)})
        found += [track for track in data["tracksById"] if track is not None]
    return found
