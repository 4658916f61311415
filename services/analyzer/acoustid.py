"""AcoustID look-ups, where a key is set: which recording a fingerprint belongs to.

A look-up never fails an analysis: behind a breaker, at most three a second, as their rules ask.
Source: https://acoustid.org/webservice
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog
from circuitbreaker import CircuitBreaker, CircuitBreakerError

_ADDRESS = "https://api.acoustid.org/v2/lookup"
_BETWEEN_S = 0.34
_TIMEOUT_S = 10.0
_FAILURES, _OPEN_S = 5, 120
_LEAST_SCORE = 0.5

_log = structlog.get_logger(__name__)


class AcoustIdRefused(Exception):
    """AcoustID answered with an error, which the message tells: mostly a wrong key."""


class AcoustId:
    """The service's client.

    Args:
        key: the application's key.
        transport: how it is reached; httpx's own where none is given.
    """

    def __init__(self, key: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._key = key
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()
        self._breaker = CircuitBreaker(
            failure_threshold=_FAILURES, recovery_timeout=_OPEN_S,
            expected_exception=(httpx.HTTPError, AcoustIdRefused), name="acoustid",
        )  # fmt: skip
        self._guarded = self._breaker.decorate(self._ask)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connection."""
        async with httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT_S) as self._client:
            yield

    async def look_up(self, fingerprint: str, duration_s: float) -> str | None:
        """The AcoustID of a fingerprint; None where it is unknown or cannot be asked now."""
        try:
            found: str | None = await self._guarded(fingerprint, duration_s)
        except CircuitBreakerError:
            return None  # told when it opened
        except (httpx.HTTPError, AcoustIdRefused) as error:
            _log.warning("AcoustID cannot be asked; analyses go on without", reason=repr(error))
            return None
        return found

    async def _ask(self, fingerprint: str, duration_s: float) -> str | None:
        if self._client is None:
            raise RuntimeError("the client is not open")
        async with self._turn:
            await asyncio.sleep(_BETWEEN_S)
            told = {"client": self._key, "duration": str(round(duration_s)), "format": "json",
                    "fingerprint": fingerprint}  # fmt: skip
            response = await self._client.post(_ADDRESS, data=told)
        if response.is_server_error:
            response.raise_for_status()
        return _best(response)


def _best(response: httpx.Response) -> str | None:
    """The best recording that is good enough. A refusal (400) says why, in JSON too."""
    try:
        answer = response.json()
        if answer["status"] != "ok":
            raise AcoustIdRefused(answer["error"]["message"])
        results = [(float(result["score"]), str(result["id"])) for result in answer["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise AcoustIdRefused(f"an answer of another kind ({response.status_code})") from error
    score, best = max(results, default=(0.0, ""))
    return best if score >= _LEAST_SCORE else None
