"""The context of a request: its loaders and budget, and the parts of the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from services.api.graphql.limits import Budget
from services.api.graphql.loaders import Loaders
from services.api.news import News
from shared.bus.port import Bus
from shared.embedding.port import TextEmbedder
from shared.runtime.settings import Settings
from shared.search.port import SearchReader


@dataclass
class Context:
    """The context of one request, or of one websocket's requests."""

    pool: asyncpg.Pool
    bus: Bus
    settings: Settings
    search: SearchReader
    embedder: TextEmbedder
    loaders: Loaders = field(init=False)
    budget: Budget = field(init=False)
    news: News = field(default_factory=News)
    """What is stored in this process."""
    connection_params: Mapping[str, object] | None = None
    """What a websocket's client said at its beginning."""
    may_store: bool = True
    """Whether the caller may do what is for the services."""
    must_present_token: bool = False
    """Of a websocket whose handshake had no token: `connection_params` must have it."""

    def __post_init__(self) -> None:
        self.begin_request()

    def begin_request(self) -> None:
        """Forget what was loaded, so that each request sees what is there now."""
        self.loaders, self.budget = Loaders(self.pool), Budget()
