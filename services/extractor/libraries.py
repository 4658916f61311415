"""Where the libraries are on this host."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.errors import InvalidInput
from shared.gateway import scans
from shared.gateway.client import Gateway


@dataclass(frozen=True, slots=True)
class Library:
    """A library, and its root on this host."""

    id: str
    name: str
    root: str


class Libraries:
    """All libraries, with their roots as mounted on this host.

    Args:
        gateway: has the libraries.
        mounts: folder on this host by library name. A library without one is where it was added.
    """

    def __init__(self, gateway: Gateway, mounts: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._mounts = mounts
        # Kept for good: a library's root never changes.
        self._roots: dict[str, str] = {}

    def local_root(self, name: str, root: str) -> str:
        """Where the library of this name and root is on this host."""
        return self._mounts.get(name, root)

    async def fetch(self) -> list[Library]:
        """All libraries there are now."""
        return [
            Library(each.id, each.name, self.local_root(each.name, each.root))
            for each in await scans.libraries(self._gateway)
        ]

    async def root_of(self, library_id: str) -> str:
        """Where a library is on this host; `InvalidInput` where there is no such library."""
        if library_id not in self._roots:
            self._roots |= {library.id: library.root for library in await self.fetch()}
        try:
            return self._roots[library_id]
        except KeyError:
            raise InvalidInput(f"there is no library {library_id}") from None
