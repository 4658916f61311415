"""The indexer, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.indexer.generation import Generation
from services.indexer.handlers import IndexTracks
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.search.factory import search_index
from shared.search.port import SearchWriter

_TOPICS = (Topic.TRACK_EXTRACTED, Topic.AUDIO_ANALYZED, Topic.TRACK_VECTORIZED)


def build(settings: Settings, *, gateway: Gateway, index: SearchWriter | None = None) -> Service:
    """The service. `index` is the one that the settings name unless another one is given."""
    writer = index or search_index(settings)
    generation = Generation(gateway, writer)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with writer.writing():
            await generation.introduce()
            yield

    handler = IndexTracks(gateway, writer, generation)
    return Service(
        name="indexer",
        subscriptions=[
            Subscription(topic, Stage.INDEX, handler, batch_wait_s=1.0) for topic in _TOPICS
        ],
        lifespan=lifespan,
    )
