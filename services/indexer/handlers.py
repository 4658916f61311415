"""Consumes track events, writes search documents, emits `track.indexed`."""

from collections.abc import Sequence

from services.indexer.index_registration import IndexRegistration
from services.indexer.search_document import search_item
from shared.bus.port import Outcome
from shared.contracts.events import (
    AudioAnalyzed,
    TrackExtracted,
    TrackIndexed,
    TrackVectorized,
)
from shared.gateway.client import Gateway
from shared.gateway.indexing import tracks_to_index
from shared.search.port import Deletion, SearchDocument, SearchWriter


class IndexTracks:
    """Indexes tracks in the gateway's current state, so a late or repeated event changes nothing.

    Args:
        gateway: reads tracks.
        index: the search index.
        registration: registers the index with the gateway.
    """

    def __init__(
        self, gateway: Gateway, index: SearchWriter, registration: IndexRegistration
    ) -> None:
        self._gateway = gateway
        self._index = index
        self._registration = registration

    async def __call__(
        self, events: Sequence[TrackExtracted | AudioAnalyzed | TrackVectorized]
    ) -> Outcome:
        """Write or delete the documents of the tracks of a batch."""
        tracks = await tracks_to_index(self._gateway, [event.track_id for event in events])
        items = [search_item(track) for track in tracks]
        # A track that the gateway does not know was removed. The event that says so has a revision
        # above that of every document.
        known = {track.id for track in tracks}
        items += [
            Deletion(event.track_id, event.revision)
            for event in events
            if event.track_id not in known
        ]
        await self._index.write(
            [item for item in items if isinstance(item, SearchDocument)],
            [item for item in items if isinstance(item, Deletion)],
        )
        await self._registration.register_if_replaced()
        return Outcome(
            [TrackIndexed(track_id=item.track_id, revision=item.version) for item in items]
        )
