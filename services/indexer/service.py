"""The composition root: builds the indexer from the settings and its dependencies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.indexer.handlers import IndexTracks
from services.indexer.index_registration import IndexRegistration
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.search.factory import search_index
from shared.search.port import SearchWriter

_TOPICS = (Topic.TRACK_EXTRACTED, Topic.AUDIO_ANALYZED, Topic.TRACK_VECTORIZED)


def build(settings: Settings, *, gateway: Gateway, index: SearchWriter | None = None) -> Service:
    """Build the service.

    Args:
        settings: see docs/configuration.md.
        gateway: reads tracks.
        index: the search index; by default the one of the settings.
    """
    writer = index or search_index(settings)
    registration = IndexRegistration(gateway, writer)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with writer.writing():
            await registration.register()
            yield

    handler = IndexTracks(gateway, writer, registration)
    return Service(
        name="indexer",
        subscriptions=[
            Subscription(topic, Stage.INDEX, handler, batch_wait_s=1.0) for topic in _TOPICS
        ],
        lifespan=lifespan,
    )
