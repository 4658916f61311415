"""A client for public web services: cached, rate limited, with retries and a circuit breaker.

The steps of a request: the cache -> one request at a time -> the pause that the service asked for
(`Retry-After`) -> the circuit breaker -> the rate limit -> the request, with a time limit -> a few
retries after errors that may pass (no connection, 429, 5xx).
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
_MAX_RETRY_AFTER_S = 86_400.0
_MAX_RESPONSE_BYTES = 1_000_000
_NOT_CACHED = object()


class Unavailable(Exception):
    """The service gives no answer now; the message says why. Go on without, or try later."""


class BadResponse(Unavailable):
    """The response is not one to this request. A retry does not help."""


class _Retryable(Unavailable):
    """A retry may help."""


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """How a service may be used.

    Attributes:
        max_per_s: requests per second, evenly spaced.
        timeout_s: longest time for one request, from the connection to the last byte.
        attempts: how often a request is sent that fails.
        first_backoff_s: longest delay before the first retry; it doubles, with jitter.
        max_wait_s: longest delay before a retry, and longest `Retry-After` to wait for.
        failures: failures in a row that open the circuit breaker.
        open_s: how long it stays open.
        cache_size: number of cached results.
        cache_s: how long they are cached.
    """

    max_per_s: float
    timeout_s: float = 10
    attempts: int = 3
    first_backoff_s: float = 0.5
    max_wait_s: float = 10
    failures: int = 5
    open_s: float = 120
    cache_size: int = 10_000
    cache_s: float = 86_400


@dataclass(frozen=True, slots=True)
class Response:
    """A response that is neither 429 nor 5xx."""

    status: int
    content: bytes


class WebClient:
    """A client for one service, with one request at a time.

    Args:
        name: of the service, for messages and the breaker's metric.
        policy: rate limit, time limit, retries, breaker, cache.
        transport: httpx's own where none is given.
    """

    def __init__(
        self, name: str, policy: RequestPolicy, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._name = name
        self._policy = policy
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._limiter = AsyncLimiter(1, 1 / policy.max_per_s)
        self._cache: TTLCache[bytes, Any] = TTLCache(policy.cache_size, policy.cache_s)
        self._paused_until_s = 0.0
        self._lock = asyncio.Lock()
        self._breaker = Breaker(
            name, failures=policy.failures, open_s=policy.open_s, counts=Unavailable
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connection."""
        user_agent = f"SoniqueBay/{version('soniquebay-shared')}"
        async with httpx.AsyncClient(
            transport=self._transport, timeout=self._policy.timeout_s,
            headers={"user-agent": user_agent},
        ) as self._client:  # fmt: skip
            yield

    async def request(
        self, method: str, url: str, form: Mapping[str, str], parse: Callable[[Response], T]
    ) -> T:
        """Send a request; the parsed response is cached.

        Args:
            method: of HTTP.
            url: where to.
            form: the form's fields.
            parse: turns the response into the result; raises `BadResponse` where it cannot.

        Raises:
            Unavailable: the service failed, asked for a pause, or did so lately.
        """
        key = hashlib.sha256(repr((method, url, sorted(form.items()))).encode()).digest()
        cached: Any = self._cache.get(key, _NOT_CACHED)
        if cached is _NOT_CACHED:
            try:
                cached = await self._retrying()(
                    self._attempt, lambda: self._send(method, url, form, parse)
                )
            except Refused as refused:
                raise Unavailable(f"{self._name}: {refused}") from refused
            self._cache[key] = cached
        result: T = cached
        return result

    def _retrying(self) -> AsyncRetrying:
        policy = self._policy
        return AsyncRetrying(
            retry=retry_if_exception_type(_Retryable),
            stop=stop_after_attempt(policy.attempts),
            wait=wait_random_exponential(policy.first_backoff_s, policy.max_wait_s),
            reraise=True,
        )

    async def _attempt(self, send: Callable[[], Awaitable[T]]) -> T:
        # Pause and breaker are checked under the lock: requests that queued while another one
        # failed must see that they are not to be sent now.
        async with self._lock:
            await self._wait_for_pause()
            self._breaker.check()
            await self._limiter.acquire()
            return await self._breaker.call(send)

    async def _wait_for_pause(self) -> None:
        """Wait until the pause is over that the service asked for."""
        while (left_s := self._paused_until_s - time.monotonic()) > 0:
            if left_s > self._policy.max_wait_s:
                raise Unavailable(f"{self._name} asked for a pause of another {left_s:.0f} s")
            await asyncio.sleep(left_s + random.uniform(0, self._policy.first_backoff_s))

    async def _send(
        self, method: str, url: str, form: Mapping[str, str], parse: Callable[[Response], T]
    ) -> T:
        if self._client is None:
            raise RuntimeError("the client is not open")
        try:
            async with (
                asyncio.timeout(self._policy.timeout_s),
                self._client.stream(method, url, data=form) as response,
            ):
                content = await self._read(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise _Retryable(f"{self._name} does not answer: {error!r}") from error
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            pause_s = retry_after_s(response.headers.get("retry-after", ""), datetime.now(UTC))
            self._paused_until_s = max(self._paused_until_s, time.monotonic() + pause_s)
            raise _Retryable(f"{self._name} answered {response.status_code}")
        return parse(Response(response.status_code, content))

    async def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _MAX_RESPONSE_BYTES:
                raise BadResponse(f"{self._name} sent more than {_MAX_RESPONSE_BYTES} bytes")
        return bytes(content)


def retry_after_s(header: str, now: datetime) -> float:
    """The seconds of a `Retry-After` header, 0 to a day; 0 for an invalid one.

    It holds a number of seconds or a date. Source: RFC 9110, section 10.2.3.
    """
    header = header.strip()
    if header.isascii() and header.isdigit():
        seconds = float(header)
    else:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)
