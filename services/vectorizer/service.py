"""The composition root: builds the vectorizer from its dependencies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.vectorizer.handlers import VectorizeTracks
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.embedding.port import TextEmbedder
from shared.gateway.client import Gateway
from shared.gateway.registration import when_accepted
from shared.runtime.service import Service


def build(*, gateway: Gateway, embedder: TextEmbedder) -> Service:
    """Build the service.

    Args:
        gateway: reads analyses and stores vectors.
        embedder: of the same model as the one that the gateway embeds search texts with.
    """
    handler = VectorizeTracks(gateway, embedder)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await when_accepted(handler.register)
        yield

    return Service(
        name="vectorizer",
        subscriptions=[
            Subscription(
                Topic.AUDIO_ANALYZED, Stage.VECTORIZE, handler,
                batch_size=200, batch_wait_s=1.0,
            )
        ],
        lifespan=lifespan,
    )  # fmt: skip
