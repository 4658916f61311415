"""The fingerprint and the AcoustID client."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest

from services.analyzer.acoustid.client import AcoustId
from services.analyzer.acoustid.fingerprint import fingerprint_of, is_available
from services.analyzer.acoustid.web_client import RequestPolicy, retry_after_s


@pytest.mark.skipif(not is_available(), reason="libchromaprint is not installed")
def test_the_same_sound_has_the_same_fingerprint_and_another_has_another() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(-9_000, 9_000, 11_025 * 20).astype(np.int16) for _ in range(2))
    assert fingerprint_of(one) == fingerprint_of(one.copy())
    assert fingerprint_of(one) != fingerprint_of(other)


@pytest.mark.parametrize("length_s", [0.5, 1.5, 2.9])
def test_less_than_three_seconds_have_no_fingerprint(length_s: float) -> None:
    rng = np.random.default_rng(0)
    short = rng.integers(-9_000, 9_000, round(11_025 * length_s)).astype(np.int16)
    assert fingerprint_of(short) is None


QUICK = RequestPolicy(max_per_s=1_000, first_backoff_s=0.001)


class Server:
    """A client of AcoustID that gets the given responses, and then always the last one."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, list[str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(parse_qs(request.content.decode()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _response(*results: tuple[float, str]) -> httpx.Response:
    items = [{"score": score, "id": id_} for score, id_ in results]
    return httpx.Response(200, text=json.dumps({"status": "ok", "results": items}))


async def _look_up(server: Server, times: int = 1) -> list[str | None]:
    acoustid = AcoustId("a key", policy=QUICK, transport=httpx.MockTransport(server))
    async with acoustid.open():
        return [await acoustid.look_up("AQAB", 61.6 + n) for n in range(times)]


async def test_the_best_recording_is_used_if_its_score_is_high_enough() -> None:
    server = Server(
        _response((0.7, "second"), (0.98, "first")), _response((0.2, "bad")), _response()
    )
    assert await _look_up(server, 3) == ["first", None, None]
    assert server.requests[0] == {
        "client": ["a key"], "duration": ["62"], "fingerprint": ["AQAB"], "format": ["json"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("no network"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503, text="busy"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text="[]"),
        httpx.Response(200, text='{"status": "ok", "results": [{"id": "no score"}]}'),
        httpx.Response(400, text='{"status": "error", "error": {"message": "invalid API key"}}'),
    ],
    ids=["refused", "timeout", "503", "no JSON", "a list", "odd results", "wrong key"],
)  # fmt: skip
async def test_any_error_gives_no_acoustid(
    answer: httpx.Response | Exception,
) -> None:
    assert await _look_up(Server(answer)) == [None]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0), ("7", 7), (" 120 ", 120), ("9" * 40, 86_400), ("-1", 0), ("1.5", 0), ("soon", 0),
        ("", 0), ("\u0663", 0), ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0), ("Mon, 23 Nov 2026 13:00:10 +0100", 10),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400), ("Mon, 99 Nov 2026 12:00:30 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_of_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after_s(header, datetime(2026, 11, 23, 12, tzinfo=UTC)) == seconds
