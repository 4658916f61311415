"""Bulk writes: in portions, sent again while the server is overloaded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from shared.contracts.errors import InvalidInput
from shared.search.fields import Item
from shared.search.opensearch_mapping import lines
from shared.search.opensearch_server import OpenSearchServer, Overloaded

_MOST_ITEMS, _MOST_CHARACTERS = 1_000, 4_000_000  # of a request
_TIMEOUT_S = 60
_ATTEMPTS, _MIN_DELAY_S, _MAX_DELAY_S = 8, 0.1, 5.0
_VERSION_CONFLICT, _BAD_REQUEST = 409, 400


@dataclass(frozen=True, slots=True)
class _Line:
    track_id: str
    text: str


class Bulk:
    """Writes to the index that an alias points to."""

    def __init__(self, server: OpenSearchServer, alias: str) -> None:
        self._server = server
        self._alias = alias

    async def write(self, items: Sequence[Item]) -> set[str]:
        """Store what is not older than the stored version, durably and searchable at once.

        Returns:
            The names of the indexes that stored it: one, unless the alias moved meanwhile.

        Raises:
            IndexMissing: the alias points to no index.
            DependencyDown: the server is out of reach, or overloaded for too long.
            InvalidInput: it will never accept a document; the others of its portion are stored.
        """
        indexes: set[str] = set()
        for portion in _portions([_Line(item.track_id, lines(item)) for item in items]):
            indexes |= await self._write_portion(portion)
        return indexes

    async def _write_portion(self, portion: list[_Line]) -> set[str]:
        pending, indexes = portion, set[str]()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Overloaded),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=_MIN_DELAY_S, max=_MAX_DELAY_S),
            reraise=True,
        ):
            with attempt:
                results = await self._send(pending)
                errors = [self._error(result) for result in results]
                indexes |= {
                    result["_index"]
                    for result, error in zip(results, errors, strict=True)
                    if error is None
                }
                busy = [error for error in errors if isinstance(error, Overloaded)]
                for error in errors:
                    if error is not None and not isinstance(error, Overloaded):
                        raise error
                pending = [
                    line
                    for line, error in zip(pending, errors, strict=True)
                    if isinstance(error, Overloaded)
                ]
                if busy:
                    raise busy[0]
        return indexes

    async def _send(self, portion: list[_Line]) -> list[dict[str, Any]]:
        response = await self._server.request(
            "POST",
            f"/{self._alias}/_bulk",
            "".join(line.text for line in portion),
            timeout_s=_TIMEOUT_S,
            # Without an alias, OpenSearch would create an index of its name, and guess the fields.
            require_alias="true",
            refresh="true",
        )
        return [item["index"] for item in response["items"]]

    def _error(self, result: dict[str, Any]) -> Exception | None:
        """Return the error of one item. That a later version is stored is none."""
        status, error = int(result["status"]), result.get("error")
        if error is None or status == _VERSION_CONFLICT:
            return None
        kind, reason = str(error["type"]), str(error["reason"])
        if status == _BAD_REQUEST:
            return InvalidInput(f"OpenSearch does not take {result['_id']}: {kind}: {reason}")
        return self._server.error_for(status, kind, reason)


def _portions(lines_: Sequence[_Line]) -> Iterator[list[_Line]]:
    portion: list[_Line] = []
    size = 0
    for line in lines_:
        if portion and (len(portion) == _MOST_ITEMS or size + len(line.text) > _MOST_CHARACTERS):
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += len(line.text)
    if portion:
        yield portion
