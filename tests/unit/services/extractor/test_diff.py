"""The difference between a walk and the catalogue: by ranges, and file by file."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from services.extractor.scan.catalogue import CatalogueFile, RangeCursor
from services.extractor.scan.diff import Diff, diff_files, diff_walk
from services.extractor.scan.walk import Run, WalkedFile
from services.extractor.scan.walk_buffer import WalkBuffer
from shared.contracts.range_digests import digest_of
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport

FILES = [WalkedFile(f"{number:02}", number, 7, 0) for number in range(10)]
EACH = 3


class Catalogue:
    """A gateway that knows some files. It records those that were requested one by one."""

    def __init__(self, missing: Sequence[int] = (), unknown: Sequence[int] = ()) -> None:
        self.files = [
            (file, number in missing, number in unknown) for number, file in enumerate(FILES)
        ]
        self.requested: list[str] = []
        client = httpx.AsyncClient(
            transport=httpx.MockTransport(self._answer), base_url="http://gateway"
        )
        self.ranges = RangeCursor(Gateway(HttpTransport(client)), "library", "")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        if "knownStretches" in call["query"]:
            return _data("knownStretches", self._ranges(call["variables"]["after"] or ""))
        return _data("knownFiles", self._page(call["variables"]))

    def _ranges(self, after: str) -> dict[str, Any]:
        """A page of two."""
        present = [one for one in self.files if not one[1] and one[0].path > after]
        cut = [present[begin : begin + EACH] for begin in range(0, len(present), EACH)][:2]
        return {
            "ends": [one[-1][0].path for one in cut],
            "counts": list(map(len, cut)),
            "digests": [_digest([file for file, _, _ in one]) for one in cut],
            "unknownImages": [
                [place for place, (_, _, unknown) in enumerate(one) if unknown] for one in cut
            ],
            "endCursor": cut[-1][-1][0].path if len(present) > 2 * EACH else None,
        }

    def _page(self, variables: dict[str, Any]) -> dict[str, Any]:
        """A page of two."""
        after, until = variables["after"] or "", variables["until"]
        wanted = [one for one in self.files if after < one[0].path <= until]
        page, has_more = wanted[:2], len(wanted) > 2
        self.requested += [file.path for file, _, _ in page]
        return {
            "paths": [file.path for file, _, _ in page],
            "sizesBytes": [file.size_bytes for file, _, _ in page],
            "mtimesNs": [file.mtime_ns for file, _, _ in page],
            "imagesDigests": [None if unknown else file.images_digest for file, _, unknown in page],
            "missing": [missing for _, missing, _ in page],
            "endCursor": page[-1][0].path if has_more else None,
        }


def _digest(files: Sequence[WalkedFile]) -> str:
    paths, sizes, mtimes, images = zip(*files, strict=True)
    return digest_of(paths, sizes, mtimes, images)


def _data(name: str, value: object) -> httpx.Response:
    return httpx.Response(200, json={"data": {name: value}})


def runs(files: Sequence[WalkedFile]) -> Iterator[Run]:
    """Runs of at most two files with the same images digest."""
    for begin in range(0, len(files), 2):
        for digest, same in itertools.groupby(files[begin : begin + 2], lambda one: one[3]):
            yield Run([file[:3] for file in same], digest)


async def diff_of(
    catalogue: Catalogue, walked: Sequence[WalkedFile], *, reads_all: bool = False
) -> Diff:
    """The parts of the difference, combined."""
    diff = diff_walk(WalkBuffer(runs(walked)), catalogue.ranges, reads_all=reads_all)
    parts = [part async for part in diff]
    return Diff(
        [file for part in parts for file in part.found],
        sum(part.unchanged for part in parts),
        [path for part in parts for path in part.missing],
        sum(part.known for part in parts),
    )


async def test_unchanged_files_are_not_requested_one_by_one() -> None:
    catalogue = Catalogue()
    assert await diff_of(catalogue, FILES) == Diff([], 10, [], 10)
    assert catalogue.requested == []


async def test_files_that_stay_missing_are_not_requested() -> None:
    catalogue = Catalogue(missing=(0, 4, 9))
    present = [file for number, file in enumerate(FILES) if number not in {0, 4, 9}]
    assert await diff_of(catalogue, present) == Diff([], 7, [], 7)
    assert catalogue.requested == []


async def test_files_with_unknown_images_count_as_unchanged() -> None:
    catalogue = Catalogue(unknown=(1, 5))
    walked = [*FILES[:5], FILES[5]._replace(images_digest=9), *FILES[6:]]
    assert await diff_of(catalogue, walked) == Diff([], 10, [], 10)


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
async def test_only_the_range_that_differs_is_compared_file_by_file(
    walked: Sequence[WalkedFile], found: Sequence[WalkedFile], missing: Sequence[str]
) -> None:
    catalogue = Catalogue()
    unchanged = len(walked) - len(found)
    assert await diff_of(catalogue, walked) == Diff(list(found), unchanged, list(missing), 10)
    assert catalogue.requested == ["03", "04", "05"]


async def test_returned_files_and_one_after_all_known_ones_are_found() -> None:
    catalogue = Catalogue(missing=(4, 9))
    assert await diff_of(catalogue, [*FILES, LAST]) == Diff([FILES[4], FILES[9], LAST], 8, [], 8)


async def test_an_empty_walk_and_an_empty_catalogue_are_compared() -> None:
    assert await diff_of(Catalogue(), []) == Diff([], 0, [file.path for file in FILES], 10)
    catalogue = Catalogue(missing=range(10))
    assert await diff_of(catalogue, []) == Diff([], 0, [], 0)
    assert await diff_of(Catalogue(missing=range(10)), FILES) == Diff(FILES, 0, [], 0)


async def test_a_full_scan_finds_all_files_and_those_that_are_gone() -> None:
    present = FILES[:-1]
    assert await diff_of(Catalogue(), present, reads_all=True) == Diff(present, 0, ["09"], 10)


@pytest.mark.parametrize(
    ("walked", "known", "found", "missing"),
    [
        ([("a", 1, 1)], [], ["a"], []),
        ([("a", 1, 1)], [("a", 1, 1, False)], [], []),
        ([("a", 2, 1)], [("a", 1, 1, False)], ["a"], []),
        ([("a", 1, 2)], [("a", 1, 1, False)], ["a"], []),
        ([("a", 1, 1)], [("a", 1, 1, True)], ["a"], []),
        ([], [("a", 1, 1, False)], [], ["a"]),
        ([], [("a", 1, 1, True)], [], []),
    ],
)
def test_new_changed_and_returned_files_are_read_and_others_are_missing(
    walked: list[tuple[str, int, int]],
    known: list[tuple[str, int, int, bool]],
    found: list[str],
    missing: list[str],
) -> None:
    files = [WalkedFile(*one) for one in walked]
    diff = diff_files(files, [CatalogueFile(*one) for one in known], reads_all=False)
    assert [file.path for file in diff.found] == found
    assert diff.missing == missing
    assert diff.unchanged == len(walked) - len(found)


def test_a_full_scan_reads_everything() -> None:
    diff = diff_files([WalkedFile("a", 1, 1)], [CatalogueFile("a", 1, 1, False)], reads_all=True)
    assert [file.path for file in diff.found] == ["a"]
