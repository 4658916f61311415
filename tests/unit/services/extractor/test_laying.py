"""What is known, laid beside what is walked: stretch by stretch, and file by file."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from services.extractor.scan.catalogue_cursor import KnownStretches
from services.extractor.scan.compare import Compared
from services.extractor.scan.diff import laid_beside
from services.extractor.scan.walk import Run, WalkedFile
from services.extractor.scan.walk_buffer import Walked
from shared.contracts.range_digests import digest_of
from shared.gateway.client import Gateway

FILES = [WalkedFile(f"{number:02}", number, 7, 0) for number in range(10)]
EACH = 3


class Known:
    """A gateway that knows some files, and what it was asked for one by one."""

    def __init__(self, missing: Sequence[int] = (), unknown: Sequence[int] = ()) -> None:
        self.files = [
            (file, number in missing, number in unknown) for number, file in enumerate(FILES)
        ]
        self.looked_at: list[str] = []
        client = httpx.AsyncClient(
            transport=httpx.MockTransport(self._answer), base_url="http://gateway"
        )
        self.stretches = KnownStretches(Gateway(client), "library", "")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        told = json.loads(request.content)
        if "knownStretches" in told["query"]:
            return _data("knownStretches", self._stretches(told["variables"]["after"] or ""))
        return _data("knownFiles", self._page(told["variables"]))

    def _stretches(self, after: str) -> dict[str, Any]:
        """Two at a time."""
        there = [one for one in self.files if not one[1] and one[0].path > after]
        cut = [there[begin : begin + EACH] for begin in range(0, len(there), EACH)][:2]
        return {
            "ends": [one[-1][0].path for one in cut],
            "counts": list(map(len, cut)),
            "digests": [_digest([file for file, _, _ in one]) for one in cut],
            "unknownImages": [
                [place for place, (_, _, unknown) in enumerate(one) if unknown] for one in cut
            ],
            "endCursor": cut[-1][-1][0].path if len(there) > 2 * EACH else None,
        }

    def _page(self, told: dict[str, Any]) -> dict[str, Any]:
        """Two at a time."""
        here = [one for one in self.files if (told["after"] or "") < one[0].path <= told["until"]]
        page, more = here[:2], len(here) > 2
        self.looked_at += [file.path for file, _, _ in page]
        return {
            "paths": [file.path for file, _, _ in page],
            "sizesBytes": [file.size_bytes for file, _, _ in page],
            "mtimesNs": [file.mtime_ns for file, _, _ in page],
            "imagesDigests": [None if unknown else file.images_digest for file, _, unknown in page],
            "missing": [missing for _, missing, _ in page],
            "endCursor": page[-1][0].path if more else None,
        }


def _digest(files: Sequence[WalkedFile]) -> str:
    paths, sizes, mtimes, images = zip(*files, strict=True)
    return digest_of(paths, sizes, mtimes, images)


def _data(name: str, told: object) -> httpx.Response:
    return httpx.Response(200, json={"data": {name: told}})


def runs(files: Sequence[WalkedFile]) -> Iterator[Run]:
    """Two of a folder at a time, as far as they have the same images."""
    for begin in range(0, len(files), 2):
        for digest, same in itertools.groupby(files[begin : begin + 2], lambda one: one[3]):
            yield Run([file[:3] for file in same], digest)


async def laid(known: Known, walked: Sequence[WalkedFile], *, reads_all: bool = False) -> Compared:
    """All that is to be done, in one."""
    beside = laid_beside(Walked(runs(walked)), known.stretches, reads_all=reads_all)
    parts = [part async for part in beside]
    return Compared(
        [file for part in parts for file in part.found],
        sum(part.unchanged for part in parts),
        [path for part in parts for path in part.missing],
        sum(part.known for part in parts),
    )


async def test_of_what_is_as_it_was_no_file_is_asked_for() -> None:
    known = Known()
    assert await laid(known, FILES) == Compared([], 10, [], 10)
    assert known.looked_at == []


async def test_missing_files_that_stay_missing_cost_nothing() -> None:
    known = Known(missing=(0, 4, 9))
    there = [file for number, file in enumerate(FILES) if number not in {0, 4, 9}]
    assert await laid(known, there) == Compared([], 7, [], 7)
    assert known.looked_at == []


async def test_files_whose_images_are_not_known_are_as_they_were() -> None:
    known = Known(unknown=(1, 5))
    walked = [*FILES[:5], FILES[5]._replace(images_digest=9), *FILES[6:]]
    assert await laid(known, walked) == Compared([], 10, [], 10)


NEW, LAST = WalkedFile("04x", 1, 1), WalkedFile("99", 1, 1)
MANY = [WalkedFile(f"04-{number:05}", 1, 1) for number in range(2_500)]


@pytest.mark.parametrize(
    ("walked", "found", "missing"),
    [
        ([*FILES[:4], *FILES[5:]], [], ["04"]),
        ([*FILES[:5], NEW, *FILES[5:]], [NEW], []),
        ([*FILES[:5], *MANY, *FILES[5:]], MANY, []),
        ([*FILES[:4], NEW, *FILES[5:]], [NEW], ["04"]),
        (
            [*FILES[:4], FILES[4]._replace(mtime_ns=8), *FILES[5:]],
            [FILES[4]._replace(mtime_ns=8)],
            [],
        ),
        (
            [*FILES[:4], FILES[4]._replace(images_digest=3), *FILES[5:]],
            [FILES[4]._replace(images_digest=3)],
            [],
        ),
    ],
    ids=["gone", "new", "many new", "renamed", "changed", "image"],
)
async def test_only_the_stretch_that_differs_is_looked_at_file_by_file(
    walked: Sequence[WalkedFile], found: Sequence[WalkedFile], missing: Sequence[str]
) -> None:
    known = Known()
    unchanged = len(walked) - len(found)
    assert await laid(known, walked) == Compared(list(found), unchanged, list(missing), 10)
    assert known.looked_at == ["03", "04", "05"]


async def test_one_that_was_missing_and_one_behind_all_others_are_found() -> None:
    known = Known(missing=(4, 9))
    assert await laid(known, [*FILES, LAST]) == Compared([FILES[4], FILES[9], LAST], 8, [], 8)


async def test_nothing_is_seen_and_nothing_is_known() -> None:
    assert await laid(Known(), []) == Compared([], 0, [file.path for file in FILES], 10)
    known = Known(missing=range(10))
    assert await laid(known, []) == Compared([], 0, [], 0)
    assert await laid(Known(missing=range(10)), FILES) == Compared(FILES, 0, [], 0)


async def test_a_full_scan_finds_all_and_misses_what_is_gone() -> None:
    there = FILES[:-1]
    assert await laid(Known(), there, reads_all=True) == Compared(there, 0, ["09"], 10)
