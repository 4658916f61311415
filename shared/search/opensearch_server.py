"""The connection to an OpenSearch server, and what its errors mean.

    DependencyDown      out of reach, not ready, refuses the user, takes no writes
    └── Overloaded      takes no more right now: send it again after a while
    TransientError      any other error
    IndexMissing        no such index or alias; never leaves the adapter

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
    """The server takes no more right now: send the same again after a while."""


class IndexMissing(Exception):
    """There is no such index or alias: nothing has been written yet, or it was removed."""


class OpenSearchServer:
    """A server, or a cluster behind one address. It connects with the first request.

    Args:
        url: `http://host:port` or `https://...`, checked against the system's certificates.
        user: the name to log in with; empty if the server asks for none.
        password: the user's password.
    """

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        self._url = url
        self._login = (user, password) if user else None
        self._client: opensearchpy.AsyncOpenSearch | None = None
        self._users = 0
        # What the client logs, it also raises.
        logging.getLogger("opensearch").setLevel(logging.CRITICAL)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep connections open while the block runs; blocks may overlap."""
        if self._client is None:
            self._client = self._new_client()
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                client, self._client = self._client, None
                await client.close()

    async def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | str | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        **params: str,
    ) -> Any:
        """Send a request, and return the decoded JSON response.

        Raises:
            IndexMissing: the index or alias does not exist.
            Overloaded: send it again after a while.
            DependencyDown: the server cannot do it now; the message says why and what to do.
            TransientError: the server failed.
        """
        if self._client is None:
            raise RuntimeError("enter connected() first")
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
            kind, reason = _kind_and_reason(error)
            raise self.error_for(int(error.status_code), kind, reason) from error

    def error_for(self, status: int, kind: str, reason: str) -> Exception:
        """Return the error that a response, or an item of it, means."""
        if kind == "cluster_block_exception":
            return DependencyDown(
                f"OpenSearch at {self._url} takes no writes: {reason}. Free space on its disk, if"
                " that is why; an index that is being replaced takes writes again in a moment"
            )
        if status == _NOT_FOUND:
            return IndexMissing(reason)
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

    def _new_client(self) -> opensearchpy.AsyncOpenSearch:
        secure: dict[str, Any] = {}
        if self._url.startswith("https:"):
            secure = {"ssl_context": ssl.create_default_context()}
        # Retried once, since the server may have closed a kept connection meanwhile.
        return opensearchpy.AsyncOpenSearch(
            [self._url], http_auth=self._login, max_retries=1, retry_on_status=(), **secure
        )


def _cause(error: opensearchpy.ConnectionError) -> str:
    if isinstance(error, opensearchpy.ConnectionTimeout):
        return "no answer in time"
    refused = getattr(error.info, "os_error", None)
    return (refused and refused.strerror) or str(error.info) or repr(error.info)


def _kind_and_reason(error: opensearchpy.TransportError) -> tuple[str, str]:
    """Return the kind of an error and the reason, as the server gives them."""
    info = error.info if isinstance(error.info, dict) else {}
    details = info.get("error")
    if isinstance(details, dict):
        causes = details.get("root_cause") or [details]
        return str(causes[0].get("type", "")), str(causes[0].get("reason", ""))[:500]
    return str(error.error)[:200], str(details or error.info)[:500]
