"""Stores tracks; where the gateway is undecided whose file one is, the disk is looked at."""

from collections.abc import Sequence

from services.extractor.read.readers import Readers
from services.extractor.store.libraries import Libraries
from services.extractor.store.moved_files import Sight, Suspect
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import local_path
from shared.gateway.client import JSON, Gateway
from shared.gateway.extraction import create_tracks

_ROUNDS = 3


class Placing:
    """Sends tracks with all that can be told about where their files were before.

    Args:
        gateway: where they go.
        readers: who looks at the disk.
        libraries: where other libraries are, for files that came from there.
    """

    def __init__(self, gateway: Gateway, readers: Readers, libraries: Libraries) -> None:
        self._gateway = gateway
        self._readers = readers
        self._libraries = libraries

    async def store(
        self, *, root: str, library_id: str, scan_id: str | None, items: Sequence[JSON]
    ) -> tuple[list[JSON], list[str]]:
        """Store items of `createTracks`.

        Returns:
            One result an item, in order; and paths of this library where a moved file has been
            and another one is now, which no track is known of any longer.
        """
        results = await create_tracks(self._gateway, library_id, scan_id, items)
        freed: list[str] = []
        for left in reversed(range(_ROUNDS)):
            places = [n for n, result in enumerate(results) if result["status"] == "UNDECIDED"]
            if not places:
                break
            asked = [(items[place], results[place]["candidates"]) for place in places]
            again, left_behind = await self._look(root, library_id, asked, may_ask=bool(left))
            freed += left_behind
            answers = await create_tracks(self._gateway, library_id, scan_id, again)
            for place, answer in zip(places, answers, strict=True):
                results[place] = answer
        return results, freed

    async def _look(
        self,
        root: str,
        library_id: str,
        asked: Sequence[tuple[JSON, Sequence[JSON]]],
        *,
        may_ask: bool,
    ) -> tuple[list[JSON], list[str]]:
        suspects = [
            Suspect(
                root=await self._root(candidate["libraryId"]),
                path=candidate["path"],
                moved_to=local_path(root, item["path"]),
                content_hash=item["contentHash"] if candidate["isSameContent"] else None,
            )
            for item, candidates in asked
            for candidate in candidates
        ]
        sights = iter(await self._readers.sights(suspects))
        free = [
            [(one, sight) for one in candidates if (sight := next(sights)) is not Sight.THERE]
            for _, candidates in asked
        ]
        chosen = _chosen(free) if may_ask else {}
        items = [
            {**item, "movedFrom": chosen[n][0]["trackId"]}
            if n in chosen
            else {**item, "isChecked": True}
            for n, (item, _) in enumerate(asked)
        ]
        freed = [
            candidate["path"]
            for candidate, sight in chosen.values()
            if sight is Sight.CHANGED and candidate["libraryId"] == library_id
        ]
        return items, freed

    async def _root(self, library_id: str) -> str:
        """Where a library is here; nowhere, where it is not known: then nothing is seen gone."""
        try:
            return await self._libraries.root_of(library_id)
        except InvalidInput:
            return ""


def _chosen(free: Sequence[Sequence[tuple[JSON, Sight]]]) -> dict[int, tuple[JSON, Sight]]:
    """Who becomes whose file, by place: each track once, and contents before tags."""
    chosen: dict[int, tuple[JSON, Sight]] = {}
    taken: set[str] = set()
    for by_content in (True, False):
        for place, candidates in enumerate(free):
            for candidate, sight in candidates:
                fits = candidate["isSameContent"] == by_content
                if fits and place not in chosen and candidate["trackId"] not in taken:
                    chosen[place] = candidate, sight
                    taken.add(candidate["trackId"])
    return chosen
