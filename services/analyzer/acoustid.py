"""AcoustID look-ups, where a key is set: which recording a fingerprint belongs to.

A look-up never fails an analysis. Source: https://acoustid.org/webservice
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog

from services.analyzer.outside import Answer, BadAnswer, Manners, NotAnswered, OutsideService

ADDRESS = "https://api.acoustid.org/v2/lookup"
MANNERS = Manners(most_per_s=3)
"""Three requests a second are what they allow an application."""
_LEAST_SCORE = 0.5

_log = structlog.get_logger(__name__)


class AcoustId:
    """The service's client.

    Args:
        key: the application's key.
        address: where the service is.
        manners: how it is asked.
        transport: how it is reached; httpx's own where none is given.
    """

    def __init__(
        self,
        key: str,
        *,
        address: str = ADDRESS,
        manners: Manners = MANNERS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key
        self._address = address
        self._service = OutsideService("acoustid", manners, transport)
        self._is_told = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold the connection."""
        async with self._service.open():
            yield

    async def look_up(self, fingerprint: str, duration_s: float) -> str | None:
        """The AcoustID of a fingerprint; None where it is unknown or cannot be asked now."""
        told = {"client": self._key, "duration": str(round(duration_s)), "format": "json",
                "fingerprint": fingerprint}  # fmt: skip
        try:
            found = await self._service.ask("POST", self._address, told, _best)
        except NotAnswered as error:
            if not self._is_told:  # once an outage, not once a track
                _log.warning("AcoustID cannot be asked; analyses go on without", reason=str(error))
            self._is_told = True
            return None
        self._is_told = False
        return found


def _best(answer: Answer) -> str | None:
    """The best recording that is good enough. A refusal (400) says why, in JSON too."""
    try:
        told = json.loads(answer.content)
        if told["status"] != "ok":
            raise BadAnswer(f"AcoustID refused: {told['error']['message']}")
        results = [(float(result["score"]), str(result["id"])) for result in told["results"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadAnswer(f"AcoustID gave an answer of another kind ({answer.status})") from error
    score, best = max(results, default=(0.0, ""))
    return best if score >= _LEAST_SCORE else None
