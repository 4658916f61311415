"""Where the libraries are on this host."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.errors import InvalidInput
from shared.gateway import scans
from shared.gateway.client import Gateway


class UnknownLibrary(InvalidInput):
    """There is no such library, or it is being removed: what belongs to it needs no work."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library, and its root on this host."""

    id: str
    name: str
    root: str


class Libraries:
    """All libraries, with their roots as mounted on this host.

    They are asked for each time: a person may move, rename or remove a library at any moment, and
    a file that is looked for below a former root seems to be missing.

    Args:
        gateway: has the libraries.
        mounts: folder on this host by library name. A library without one is where it was added.
    """

    def __init__(self, gateway: Gateway, mounts: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._mounts = mounts

    def local_root(self, name: str, root: str) -> str:
        """Where the library of this name and root is on this host."""
        return self._mounts.get(name, root)

    async def fetch(self) -> list[Library]:
        """All libraries there are now, without those that are being removed."""
        return [
            Library(each.id, each.name, self.local_root(each.name, each.root))
            for each in await scans.libraries(self._gateway)
            if not each.is_being_removed
        ]

    async def root_of(self, library_id: str) -> str:
        """Where a library is on this host; `UnknownLibrary` if there is no such library."""
        for library in await self.fetch():
            if library.id == library_id:
                return library.root
        raise UnknownLibrary(f"there is no library {library_id}")
