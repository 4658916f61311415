"""The AcoustID client: looks up which recording a fingerprint belongs to.

A look-up that fails does not fail the analysis. Source: https://acoustid.org/webservice
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog

from services.analyzer.acoustid.web_client import (
    BadResponse,
    RequestPolicy,
    Response,
    Unavailable,
    WebClient,
)

LOOKUP_URL = "https://api.acoustid.org/v2/lookup"
REQUEST_POLICY = RequestPolicy(max_per_s=3)
"""AcoustID allows an application three requests a second."""
_MIN_SCORE = 0.5

_log = structlog.get_logger(__name__)


class AcoustId:
    """A client of the AcoustID web service.

    Args:
        key: the application's API key.
        url: of the look-up.
        policy: rate limit, time limit, retries.
        transport: httpx's own where none is given.
    """

    def __init__(
        self,
        key: str,
        *,
        url: str = LOOKUP_URL,
        policy: RequestPolicy = REQUEST_POLICY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key
        self._url = url
        self._client = WebClient("acoustid", policy, transport)
        self._outage_is_logged = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connection."""
        async with self._client.open():
            yield

    async def look_up(self, fingerprint: str, duration_s: float) -> str | None:
        """The AcoustID of a fingerprint; None where it is unknown or the service unavailable."""
        form = {
            "client": self._key,
            "duration": str(round(duration_s)),
            "format": "json",
            "fingerprint": fingerprint,
        }
        try:
            acoustid = await self._client.request("POST", self._url, form, _best_id)
        except Unavailable as error:
            if not self._outage_is_logged:  # once an outage, not once a track
                _log.warning(
                    "AcoustID is unavailable; analyses continue without it", reason=str(error)
                )
            self._outage_is_logged = True
            return None
        self._outage_is_logged = False
        return acoustid


def _best_id(response: Response) -> str | None:
    """The id with the highest score, None if none is good enough.

    Errors (status 400) come as JSON too, with their reason.
    """
    try:
        document = json.loads(response.content)
        if document["status"] != "ok":
            raise BadResponse(f"AcoustID refused: {document['error']['message']}")
        results = [(float(result["score"]), str(result["id"])) for result in document["results"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadResponse(f"AcoustID sent an unexpected response ({response.status})") from error
    score, best = max(results, default=(0.0, ""))
    return best if score >= _MIN_SCORE else None
