"""The index registration: keeps the gateway's record of the index in step with the index in use.

Each index that is created has an id, its generation. The gateway records the one in use;
where a new one is registered, its reconciler has all tracks indexed again.
"""

from shared.gateway.client import Gateway
from shared.gateway.indexing import register_generation
from shared.gateway.registration import when_accepted
from shared.search.port import SearchWriter


class IndexRegistration:
    """Registers the generation of the index in use with the gateway.

    Args:
        gateway: where it is registered.
        index: the index in use, open for writing.
    """

    def __init__(self, gateway: Gateway, index: SearchWriter) -> None:
        self._gateway = gateway
        self._index = index
        self._registered = ""
        self._was_unknown = False

    async def register(self) -> None:
        """Register the index at the start; clear it if it holds another database's tracks.

        The gateway knows every index that was filled for it. An index that it does not know and
        that is not empty was filled for another database, and would return tracks that do not
        exist. An index that took over the content of a known one is an exception.
        """
        is_successor = False
        if self._index.took_over:
            await when_accepted(self._register_predecessor)
            is_successor = not self._was_unknown
        await when_accepted(self._register_current)
        if self._was_unknown and not is_successor and await self._index.count():
            await self._index.start_anew()
            await when_accepted(self._register_current)

    async def register_if_replaced(self) -> None:
        """After a write: register the index if it replaced one that was found lost."""
        if self._index.generation != self._registered:
            await self._register_current()

    async def _register_predecessor(self) -> None:
        self._was_unknown = await register_generation(self._gateway, self._index.took_over)

    async def _register_current(self) -> None:
        generation = self._index.generation
        self._was_unknown = await register_generation(self._gateway, generation)
        self._registered = generation
