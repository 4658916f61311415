"""The way to an OpenSearch server, and what its refusals mean.

    DependencyDown      out of reach, not ready, refuses the user, takes no writes
    └── Overloaded      takes no more right now: waiting a little helps
    TransientError      anything else that it answers
    NotThere            no such index or alias; never leaves the adapter

The one module that imports opensearch-py.
"""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import opensearchpy

from shared.contracts.errors import DependencyDown, TransientError

_TIMEOUT_S = 30
_NOT_FOUND, _CONFLICT, _TOO_MANY = 404, 409, 429
_NOT_ALLOWED = {401, 403}
_NOT_READY = {502, 503, 504}


class Overloaded(DependencyDown):
    """The server takes no more right now; the same is sent again after a while."""


class NotThere(Exception):
    """There is no such index or alias: nothing was written yet, or it was removed."""


class OpenSearchServer:
    """One server, or a cluster behind one address. Nothing is connected before it is asked.

    Args:
        url: `http://host:port` or `https://...`, checked against the system's certificates.
        user: name to log in with; empty where the server asks for none.
        password: belongs to it.
    """

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        self._url = url
        self._login = (user, password) if user else None
        self._client: opensearchpy.AsyncOpenSearch | None = None
        self._held = 0
        # What the client warns of is raised too, and named there.
        logging.getLogger("opensearch").setLevel(logging.CRITICAL)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep connections open; as often as one likes at the same time."""
        if self._client is None:
            self._client = self._made()
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                client, self._client = self._client, None
                await client.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | str | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        **params: str,
    ) -> Any:
        """The answer, as JSON has it.

        Raises:
            NotThere: it speaks of an index or alias that does not exist.
            Overloaded: it may be sent again after a while.
            DependencyDown: the server cannot do it now; says why and what to do.
            TransientError: the server failed at it.
        """
        if self._client is None:
            raise RuntimeError("hold it connected() first")
        try:
            return await self._client.transport.perform_request(
                method, path, params=params, body=body, timeout=timeout_s,
                headers={"content-type": "application/json"},
            )  # fmt: skip
        except opensearchpy.ConnectionError as error:
            raise DependencyDown(
                f"OpenSearch at {self._url} is out of reach ({_cause(error)}): start it, or set"
                " SONIQUEBAY_OPENSEARCH_URL to where it is"
            ) from error
        except opensearchpy.TransportError as error:
            kind, reason = _told(error)
            raise self.named(int(error.status_code), kind, reason) from error

    def named(self, status: int, kind: str, reason: str) -> Exception:
        """The error that an answer, or an item of it, means."""
        if kind == "cluster_block_exception":
            return DependencyDown(
                f"OpenSearch at {self._url} takes no writes: {reason}. Free space on its disk, if"
                " that is why; an index that is being replaced takes writes again in a moment"
            )
        if status == _NOT_FOUND:
            return NotThere(reason)
        if status == _TOO_MANY:
            return Overloaded(
                f"OpenSearch at {self._url} is overloaded: {reason}. If it stays so, give it more"
                " memory or cores"
            )
        if status in _NOT_ALLOWED:
            return DependencyDown(
                f"OpenSearch at {self._url} refuses the user ({status} {reason}): check"
                " SONIQUEBAY_OPENSEARCH_USER and SONIQUEBAY_OPENSEARCH_PASSWORD"
            )
        if status in _NOT_READY:
            return DependencyDown(
                f"OpenSearch at {self._url} is not ready ({status} {kind}): it may be starting;"
                " if it stays so, look at its log and at /_cluster/health"
            )
        return TransientError(f"OpenSearch at {self._url} answered {status}: {kind}: {reason}")

    def _made(self) -> opensearchpy.AsyncOpenSearch:
        secure: dict[str, Any] = {}
        if self._url.startswith("https:"):
            secure = {"ssl_context": ssl.create_default_context()}
        # One more try: a kept connection may have been closed from the other side meanwhile.
        return opensearchpy.AsyncOpenSearch(
            [self._url], http_auth=self._login, max_retries=1, retry_on_status=(), **secure
        )


def _cause(error: opensearchpy.ConnectionError) -> str:
    if isinstance(error, opensearchpy.ConnectionTimeout):
        return "no answer in time"
    refused = getattr(error.info, "os_error", None)
    return (refused and refused.strerror) or str(error.info) or repr(error.info)


def _told(error: opensearchpy.TransportError) -> tuple[str, str]:
    """Kind and reason of a refusal."""
    info = error.info if isinstance(error.info, dict) else {}
    told = info.get("error")
    if isinstance(told, dict):
        causes = told.get("root_cause") or [told]
        return str(causes[0].get("type", "")), str(causes[0].get("reason", ""))[:500]
    return str(error.error)[:200], str(told or error.info)[:500]
