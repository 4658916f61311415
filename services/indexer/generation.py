"""Which search index the gateway believes in, and the one there is: they must be the same."""

from shared.gateway.announcing import announce
from shared.gateway.client import Gateway
from shared.gateway.documents import register_generation
from shared.search.port import SearchWriter


class Generation:
    """Keeps the gateway told of the index in use."""

    def __init__(self, gateway: Gateway, index: SearchWriter) -> None:
        self._gateway = gateway
        self._index = index
        self._known = ""
        self._was_unknown = False

    async def introduce(self) -> None:
        """At the start: an index that is full of another library's tracks is begun anew.

        The gateway knows every index that was filled for it. One that it does not know and that
        is not empty was filled for another database, and would go on finding what is not there;
        unless it took over the content of one that the gateway knows.
        """
        is_ours = False
        if self._index.took_over:
            await announce(self._tell_origin)
            is_ours = not self._was_unknown
        await announce(self._tell)
        if self._was_unknown and not is_ours and await self._index.count():
            await self._index.start_anew()
            await announce(self._tell)

    async def keep_known(self) -> None:
        """After a write: tell of the new index where the old one was found lost."""
        if self._index.generation != self._known:
            await self._tell()

    async def _tell_origin(self) -> None:
        self._was_unknown = await register_generation(self._gateway, self._index.took_over)

    async def _tell(self) -> None:
        generation = self._index.generation
        self._was_unknown = await register_generation(self._gateway, generation)
        self._known = generation
