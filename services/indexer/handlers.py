"""Track events in, a search document each, `track.indexed` out."""

from collections.abc import Sequence

from services.indexer.document import search_item
from services.indexer.generation import Generation
from shared.bus.port import Outcome
from shared.contracts.events import TrackEvent, TrackIndexed
from shared.gateway.client import Gateway
from shared.gateway.documents import tracks_to_index
from shared.search.port import Deletion, SearchDocument, SearchWriter


class IndexTracks:
    """Writes what the gateway knows of each track by now; a late event changes nothing."""

    def __init__(self, gateway: Gateway, index: SearchWriter, generation: Generation) -> None:
        self._gateway = gateway
        self._index = index
        self._generation = generation

    async def __call__(self, events: Sequence[TrackEvent]) -> Outcome:
        """Bring the index up to date for the tracks of a batch."""
        tracks = await tracks_to_index(self._gateway, [event.track_id for event in events])
        items = [search_item(track) for track in tracks]
        await self._index.write(
            [item for item in items if isinstance(item, SearchDocument)],
            [item for item in items if isinstance(item, Deletion)],
        )
        await self._generation.keep_known()
        return Outcome([TrackIndexed(track_id=i.track_id, revision=i.version) for i in items])
