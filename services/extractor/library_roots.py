"""Where the libraries are on this host."""

from collections.abc import Mapping

from shared.contracts.errors import InvalidInput
from shared.gateway.client import Gateway
from shared.gateway.extraction import libraries


class LibraryRoots:
    """Roots by library, as mounted on this host.

    They are cached for good: a library's root never changes.

    Args:
        gateway: has the libraries.
        mounts: folder on this host by library name. A library without one is where it was added.
    """

    def __init__(self, gateway: Gateway, mounts: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._mounts = mounts
        self._roots: dict[str, str] = {}

    def local_root(self, name: str, root: str) -> str:
        """Where the library of this name and root is on this host."""
        return self._mounts.get(name, root)

    async def root_of(self, library_id: str) -> str:
        """Where a library is on this host; `InvalidInput` where there is no such library."""
        if library_id not in self._roots:
            for library in await libraries(self._gateway):
                self._roots[library["id"]] = self.local_root(library["name"], library["root"])
        try:
            return self._roots[library_id]
        except KeyError:
            raise InvalidInput(f"there is no library {library_id}") from None
