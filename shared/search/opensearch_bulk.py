"""Writing in bulk: in portions, with patience where the server is busy."""

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
_ATTEMPTS, _FIRST_WAIT_S, _LONGEST_WAIT_S = 8, 0.1, 5.0
_OLDER_THAN_THERE, _REFUSED = 409, 400


@dataclass(frozen=True, slots=True)
class _Line:
    track_id: str
    text: str


class Bulk:
    """Writes to whatever index an alias stands for."""

    def __init__(self, server: OpenSearchServer, alias: str) -> None:
        self._server = server
        self._alias = alias

    async def write(self, items: Sequence[Item]) -> set[str]:
        """Store what is not older than what is there, durably and findable at once.

        Returns:
            The names of the indexes that took it: one, unless the alias moved meanwhile.

        Raises:
            NotThere: the alias stands for no index.
            DependencyDown: the server is out of reach, or busy for longer than we wait.
            InvalidInput: it refuses a document for good; the others of its portion are stored.
        """
        took: set[str] = set()
        for portion in _portions([_Line(item.track_id, lines(item)) for item in items]):
            took |= await self._patiently(portion)
        return took

    async def _patiently(self, portion: list[_Line]) -> set[str]:
        left, took = portion, set[str]()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Overloaded),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S),
            reraise=True,
        ):
            with attempt:
                results = await self._sent(left)
                errors = [self._error(result) for result in results]
                took |= {
                    result["_index"]
                    for result, error in zip(results, errors, strict=True)
                    if error is None
                }
                busy = [error for error in errors if isinstance(error, Overloaded)]
                for error in errors:
                    if error is not None and not isinstance(error, Overloaded):
                        raise error
                left = [
                    line
                    for line, error in zip(left, errors, strict=True)
                    if isinstance(error, Overloaded)
                ]
                if busy:
                    raise busy[0]
        return took

    async def _sent(self, portion: list[_Line]) -> list[dict[str, Any]]:
        told = await self._server.ask(
            "POST",
            f"/{self._alias}/_bulk",
            "".join(line.text for line in portion),
            timeout_s=_TIMEOUT_S,
            # Never an index of the alias's name, with fields as it guesses them.
            require_alias="true",
            refresh="true",
        )
        return [item["index"] for item in told["items"]]

    def _error(self, result: dict[str, Any]) -> Exception | None:
        """What stands against one item; that a later version is there does not."""
        status, told = int(result["status"]), result.get("error")
        if told is None or status == _OLDER_THAN_THERE:
            return None
        kind, reason = str(told["type"]), str(told["reason"])
        if status == _REFUSED:
            return InvalidInput(f"OpenSearch does not take {result['_id']}: {kind}: {reason}")
        return self._server.named(status, kind, reason)


def _portions(all_: Sequence[_Line]) -> Iterator[list[_Line]]:
    portion: list[_Line] = []
    size = 0
    for line in all_:
        if portion and (len(portion) == _MOST_ITEMS or size + len(line.text) > _MOST_CHARACTERS):
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += len(line.text)
    if portion:
        yield portion
