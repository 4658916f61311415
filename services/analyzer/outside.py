"""A web service of others, asked politely: what every such client here keeps to.

A question goes this way: the answers that are kept -> its turn -> the time that the service asked
to be left alone (`Retry-After`) -> the breaker -> the rate limit -> the request, within a time ->
again, a few times, where it failed in a way that may pass (no connection, 429, 5xx).
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
from aiolimiter import AsyncLimiter
from cachetools import TTLCache
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from shared.runtime.breaker import Breaker, Refused

T = TypeVar("T")
_LONGEST_RETRY_AFTER_S = 86_400.0
_MOST_BYTES = 1_000_000
_NONE_KEPT = object()


class NotAnswered(Exception):
    """There is no answer now; the message says why. Go on without, or ask later."""


class BadAnswer(NotAnswered):
    """It answered, but not what was asked for. Asking the same again does not help."""


class _Failed(NotAnswered):
    """It may work the next time."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How one service is asked.

    Attributes:
        most_per_s: requests a second, spread evenly.
        timeout_s: longest time for one request, from the connection to the last byte.
        attempts: how often a question is asked that fails.
        retry_first_s: the first delay between these is at most so long; it doubles, with jitter.
        longest_wait_s: a question is not kept waiting longer than this for another attempt.
        failures: so many in a row, and nothing is asked for `open_s`.
        open_s: see there.
        kept: so many answers are kept.
        kept_s: for so long.
    """

    most_per_s: float
    timeout_s: float = 10
    attempts: int = 3
    retry_first_s: float = 0.5
    longest_wait_s: float = 10
    failures: int = 5
    open_s: float = 120
    kept: int = 10_000
    kept_s: float = 86_400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: neither 429 nor 5xx."""

    status: int
    content: bytes


class OutsideService:
    """A client for one service, which is asked one thing at a time.

    Args:
        name: of the service, for messages and the breaker's metric.
        manners: how it is asked.
        transport: how it is reached; httpx's own where none is given.
    """

    def __init__(
        self, name: str, manners: Manners, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._name = name
        self._manners = manners
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._limiter = AsyncLimiter(1, 1 / manners.most_per_s)
        self._answers: TTLCache[bytes, Any] = TTLCache(manners.kept, manners.kept_s)
        self._not_before_s = 0.0
        self._turn = asyncio.Lock()
        self._breaker = Breaker(
            name, failures=manners.failures, open_s=manners.open_s, counts=NotAnswered
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connection."""
        agent = f"SoniqueBay/{version('soniquebay-shared')}"
        async with httpx.AsyncClient(
            transport=self._transport, timeout=self._manners.timeout_s,
            headers={"user-agent": agent},
        ) as self._client:  # fmt: skip
            yield

    async def ask(
        self, method: str, url: str, data: Mapping[str, str], read: Callable[[Answer], T]
    ) -> T:
        """What `read` makes of the answer; asked again within `kept_s`, it is the kept one.

        Args:
            method: of HTTP.
            url: where to.
            data: the form's fields.
            read: takes the answer apart; raises `BadAnswer` where that is not what was asked for.

        Raises:
            NotAnswered: the service failed, or asked to be left alone, or did so lately.
        """
        key = hashlib.sha256(repr((method, url, sorted(data.items()))).encode()).digest()
        found: Any = self._answers.get(key, _NONE_KEPT)
        if found is _NONE_KEPT:
            try:
                found = await self._retrying()(
                    self._attempt, lambda: self._request(method, url, data, read)
                )
            except Refused as refused:
                raise NotAnswered(f"{self._name}: {refused}") from refused
            self._answers[key] = found
        kept: T = found
        return kept

    def _retrying(self) -> AsyncRetrying:
        manners = self._manners
        return AsyncRetrying(
            retry=retry_if_exception_type(_Failed),
            stop=stop_after_attempt(manners.attempts),
            wait=wait_random_exponential(manners.retry_first_s, manners.longest_wait_s),
            reraise=True,
        )

    async def _attempt(self, request: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:  # whoever queued while it failed finds that it is not asked now
            await self._leave_alone()
            self._breaker.check()
            await self._limiter.acquire()
            return await self._breaker.call(request)

    async def _leave_alone(self) -> None:
        """Wait for as long as the service asked all to."""
        while (left_s := self._not_before_s - time.monotonic()) > 0:
            if left_s > self._manners.longest_wait_s:
                raise NotAnswered(f"{self._name} asked to be left alone for {left_s:.0f} s more")
            await asyncio.sleep(left_s + random.uniform(0, self._manners.retry_first_s))

    async def _request(
        self, method: str, url: str, data: Mapping[str, str], read: Callable[[Answer], T]
    ) -> T:
        if self._client is None:
            raise RuntimeError("the client is not open")
        try:
            async with (
                asyncio.timeout(self._manners.timeout_s),
                self._client.stream(method, url, data=data) as response,
            ):
                content = await self._content(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise _Failed(f"{self._name} does not answer: {error!r}") from error
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            after_s = retry_after_s(response.headers.get("retry-after", ""), datetime.now(UTC))
            self._not_before_s = max(self._not_before_s, time.monotonic() + after_s)
            raise _Failed(f"{self._name} answered {response.status_code}")
        return read(Answer(response.status_code, content))

    async def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for part in response.aiter_bytes():
            content += part
            if len(content) > _MOST_BYTES:
                raise BadAnswer(f"{self._name} answered with more than {_MOST_BYTES} bytes")
        return bytes(content)


def retry_after_s(header: str, now: datetime) -> float:
    """Seconds that a `Retry-After` asks for, 0 to a day; 0 for one that says nothing.

    It is a number of seconds or a date. Source: RFC 9110, section 10.2.3.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        asked_s = float(header)
    else:
        try:
            told = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        asked_s = (told.replace(tzinfo=told.tzinfo or UTC) - now).total_seconds()
    return min(max(asked_s, 0.0), _LONGEST_RETRY_AFTER_S)
