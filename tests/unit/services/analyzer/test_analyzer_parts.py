"""Formulas, the fingerprint and AcoustID."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest

from services.analyzer.acoustid.client import AcoustId
from services.analyzer.acoustid.fingerprint import fingerprint_of, is_available
from services.analyzer.acoustid.web_client import RequestPolicy, retry_after_s
from services.analyzer.analysis import danceability, energy


def test_energy_rises_with_each_of_its_parts_and_is_0_for_silence() -> None:
    base = {"loudness_lufs": -15.0, "onset_rate_hz": 2.0, "bright_share": 0.1}
    for part, more in [("loudness_lufs", -8.0), ("onset_rate_hz", 5.0), ("bright_share", 0.4)]:
        assert energy(**{**base, part: more}) > energy(**base)
    assert energy(loudness_lufs=-70, onset_rate_hz=0, bright_share=0) == 0


def test_danceability_is_highest_near_120_bpm_and_0_without_a_pulse() -> None:
    told = {"tempo_confidence": 0.8, "loudness_range_lu": 4.0}
    at_120 = danceability(tempo_bpm=120, **told)
    assert at_120 > danceability(tempo_bpm=60, **told)
    assert at_120 > danceability(tempo_bpm=190, **told)
    assert danceability(tempo_bpm=0, tempo_confidence=0, loudness_range_lu=0) == 0


@pytest.mark.skipif(not is_available(), reason="libchromaprint is not installed")
def test_the_same_sound_has_the_same_fingerprint_and_another_has_another() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(-9_000, 9_000, 11_025 * 20).astype(np.int16) for _ in range(2))
    assert fingerprint_of(one) == fingerprint_of(one.copy())
    assert fingerprint_of(one) != fingerprint_of(other)


QUICK = RequestPolicy(max_per_s=1_000, first_backoff_s=0.001)


class Server:
    """AcoustID, answering what it is told to."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, list[str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(parse_qs(request.content.decode()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _found(*results: tuple[float, str]) -> httpx.Response:
    told = [{"score": score, "id": id_} for score, id_ in results]
    return httpx.Response(200, text=json.dumps({"status": "ok", "results": told}))


async def _look_up(server: Server, times: int = 1) -> list[str | None]:
    acoustid = AcoustId("a key", policy=QUICK, transport=httpx.MockTransport(server))
    async with acoustid.open():
        return [await acoustid.look_up("AQAB", 61.6 + n) for n in range(times)]


async def test_the_best_recording_is_taken_if_it_is_good_enough() -> None:
    server = Server(_found((0.7, "second"), (0.98, "first")), _found((0.2, "bad")), _found())
    assert await _look_up(server, 3) == ["first", None, None]
    assert server.asked[0] == {
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
async def test_whatever_goes_wrong_there_is_just_no_acoustid(
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
def test_a_service_says_for_how_long_it_is_to_be_left_alone(header: str, seconds: float) -> None:
    assert retry_after_s(header, datetime(2026, 11, 23, 12, tzinfo=UTC)) == seconds
