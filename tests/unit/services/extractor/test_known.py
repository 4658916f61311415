"""What is known, laid beside what is walked, stretch by stretch and page by page."""

import json
from typing import Any

import httpx
import pytest

from services.extractor.compare import KnownFile
from services.extractor.known import KnownFiles
from services.extractor.walk import WalkedFile
from shared.gateway.client import Gateway

FILES = [(f"{number:02}", number, 7, 0) for number in range(10)]
WALKED = [WalkedFile(*file) for file in FILES]


def known(pages: list[int], missing: tuple[int, ...] = ()) -> KnownFiles:
    """The ten files, in pages that end before these numbers."""
    ends = [*pages, len(FILES)]

    def answer(request: httpx.Request) -> httpx.Response:
        after = json.loads(request.content)["variables"]["after"]
        begin = 0 if after is None else int(after)
        end = next(end for end in ends if end > begin)
        rows = FILES[begin:end]
        page: dict[str, Any] = {
            "paths": [row[0] for row in rows],
            "sizesBytes": [row[1] for row in rows],
            "mtimesNs": [row[2] for row in rows],
            "imagesDigests": [row[3] for row in rows],
            "missing": [number in missing for number in range(begin, end)],
            "endCursor": str(end) if end < len(FILES) else None,
        }
        return httpx.Response(200, json={"data": {"knownFiles": page}})

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://gateway")
    return KnownFiles(Gateway(client), "library", "")


@pytest.mark.parametrize("pages", [[], [4], [3, 5]])
async def test_a_stretch_that_is_as_it_was_is_taken_at_once(pages: list[int]) -> None:
    files = known(pages)
    taken = 0
    for begin in range(0, 10, 2):
        portion = WALKED[begin : begin + 2]
        if not await files.are(portion):  # it goes over the end of a page
            found = await files.up_to(portion[-1].path)
            assert [file.path for file in found] == [file.path for file in portion]
        taken += 2
        assert files.present == taken
    assert await files.up_to(None) == []


@pytest.mark.parametrize(
    "walked",
    [
        [WALKED[0], WALKED[2]],  # one is gone
        [WALKED[0], WalkedFile("00x", 1, 1), WALKED[1]],  # one is new
        [WALKED[0], WALKED[1]._replace(mtime_ns=8)],
        [WALKED[0], WALKED[1]._replace(images_digest=3)],
        [WALKED[0], WALKED[1], WALKED[2], WALKED[3]],  # one was missing, and is back
    ],
)
async def test_one_that_is_not_is_laid_beside_file_by_file(walked: list[WalkedFile]) -> None:
    files = known([], missing=(3,))
    assert not await files.are(walked)
    beside = await files.up_to(walked[-1].path)
    expected = [row for row in FILES if row[0] <= walked[-1].path]
    assert beside == [KnownFile(*row[:3], row[0] == "03", row[3]) for row in expected]
