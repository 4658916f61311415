"""Composes the api service."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette

from services.api import handlers
from services.api.change_notifier import ChangeNotifier
from services.api.gauges import Gauges
from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.graphql_http import MOST_BYTES
from services.api.guard import guard
from services.api.housekeeper import Housekeeper
from services.api.local_transport import LocalTransport
from services.api.reconciler import Reconciler
from services.api.server import bound, build_app
from services.api.signed_addresses import AddressSigner, address_signer
from services.api.store.database.pool import CountedPool, DatabaseNotOpen, waiting_for_database
from services.api.store.database.postgres import open_pool
from shared.bus.port import Bus, Outcome, Subscription
from shared.contracts.envelope import DeadLetter
from shared.contracts.errors import DependencyDown
from shared.contracts.events import TrackIndexed
from shared.contracts.topics import Stage, Topic
from shared.embedding.port import TextEmbedder
from shared.runtime.http import serving
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.search.factory import search_index
from shared.search.port import SearchReader

_PROBE_TIMEOUT_S = 3
_GC_THRESHOLD = 20_000


@dataclass
class Api:
    """The service, and the parts that other services of its process use.

    Attributes:
        service: to subscribe and run.
        app: the gateway as an ASGI app, without its guard.
        transport: the gateway for workers in this process.
    """

    service: Service = field(init=False)
    app: Starlette = field(init=False)
    transport: LocalTransport = field(init=False)
    settings: Settings
    bus: Bus
    embedder: TextEmbedder
    search: SearchReader
    url: str = ""
    """The gateway's address, once it listens."""
    _pool: CountedPool | None = None
    _signer: AddressSigner | None = None
    _changes: ChangeNotifier = field(default_factory=ChangeNotifier)

    def __post_init__(self) -> None:
        schema = build_schema()
        self.app = build_app(self._context, schema)
        self.transport = LocalTransport(
            schema, self._context, pool=lambda: self.pool, changes=self._changes
        )
        self.service = Service(
            name="api",
            subscriptions=[
                Subscription(
                    Topic.TRACK_INDEXED, Stage.PROGRESS, self._note_indexed, batch_wait_s=1.0
                )
            ],
            lifespan=self._lifespan,
            running=self._running,
            trouble=self._trouble,
            dead_letters=(Stage.FAILURES, self._keep_failures),
        )

    @property
    def pool(self) -> CountedPool:
        """The pool of database connections; raises `DatabaseNotOpen` unless the service runs."""
        if self._pool is None:
            raise DatabaseNotOpen("the gateway is starting or stopping")
        return self._pool

    async def _trouble(self) -> str:
        try:
            with waiting_for_database():
                await self.pool.fetchval("SELECT 1", timeout=_PROBE_TIMEOUT_S)
        except DependencyDown as error:
            return str(error)
        return ""

    def _context(self) -> Context:
        return Context(
            self.pool, self.bus, self.settings, self.search, self.embedder,
            changes=self._changes, signer=self._signer,
        )  # fmt: skip

    async def _note_indexed(self, events: Sequence[TrackIndexed]) -> Outcome:
        with waiting_for_database():
            outcome = await handlers.note_indexed(self.pool, events)
        self._changes.notify()
        return outcome

    async def _keep_failures(self, letters: Sequence[DeadLetter]) -> None:
        await handlers.keep_failures(self.pool, letters)
        self._changes.notify()

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if self.settings.database_url is None:
                # First the port: if it is in use, the user sees it at once. The database takes
                # seconds to start.
                listener = stack.enter_context(bound(self.settings))
                await stack.enter_async_context(self._opened())
            else:
                # First the database: until it is open, connections are refused, so that workers
                # wait instead of getting errors.
                await stack.enter_async_context(self._opened())
                listener = stack.enter_context(bound(self.settings))
            self._signer = address_signer(self.settings)
            guarded = guard(self.app, self.settings, self._signer)
            _freeze_loaded_objects()
            async with serving(
                guarded, listener, name="gateway", most_message_bytes=MOST_BYTES
            ) as self.url:
                yield
            self.url = ""

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        """Keep the database and the search index open."""
        async with open_pool(self.settings) as pool, self.search.reading():
            self._pool = pool
            notifier = asyncio.create_task(self._changes.run(pool), name="change notifier")
            try:
                yield
            finally:
                self._pool = None
                notifier.cancel()
                await asyncio.gather(notifier, return_exceptions=True)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """Run the reconciler, the housekeeper and the gauges' updates."""
        reconciler = Reconciler(
            self.pool, self.bus, interval_s=self.settings.reconcile_s, on_look=self._changes.notify
        )
        housekeeper = Housekeeper(
            self.pool, self.bus, self.settings, on_change=self._changes.notify
        )
        gauges = Gauges(self.pool, self.bus, interval_s=self.settings.reconcile_s)
        tasks = [
            asyncio.create_task(reconciler.run(), name="reconciler"),
            asyncio.create_task(housekeeper.run(), name="housekeeper"),
            asyncio.create_task(gauges.run(), name="gauges"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def build(
    settings: Settings,
    *,
    bus: Bus,
    embedder: TextEmbedder,
    search: SearchReader | None = None,
) -> Api:
    """Return the service. `search` defaults to the index that the settings name."""
    return Api(settings, bus, embedder, search or search_index(settings))


def _freeze_loaded_objects() -> None:
    """Exclude modules, schema and models from garbage collection, and collect less often.

    Otherwise a full collection visits all of them, about once in four pages of a list: a tenth of
    a second in which no request is answered. A young collection runs after 20,000 new objects
    instead of 700, since a batch of tracks makes far more. graphql-core leaves one cycle a request,
    which a later collection frees.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
