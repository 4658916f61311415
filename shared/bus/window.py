"""A sliding window over partitions: records are settled in any order, and committed in theirs.

For subscriptions that are ordered by key. A slow record holds up the records of its key and no
others, and the commit of its partition, as with the key ordering of Confluent's Parallel Consumer.
Pure data: nothing waits here.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)
T = TypeVar("T")


@dataclass(eq=False, frozen=True, slots=True)
class Taken(Generic[P, T]):
    """A record in the window, and where it is from."""

    partition: P
    offset: int
    key: bytes
    record: T


class Window(Generic[P, T]):
    """The records that were read and are not settled yet; the settled ones are not kept."""

    def __init__(self) -> None:
        self._next: dict[P, int] = {}
        self._unsettled: dict[P, dict[int, None]] = {}
        self._waiting: list[Taken[P, T]] = []
        self._keys_at_work: set[bytes] = set()

    def __len__(self) -> int:
        """The number of records that are not settled."""
        return sum(map(len, self._unsettled.values()))

    @property
    def waiting(self) -> int:
        """The number of records that are not claimed."""
        return len(self._waiting)

    @property
    def free(self) -> int:
        """How many records `claim` would find without a limit."""
        return sum(each.key not in self._keys_at_work for each in self._waiting)

    def add(self, partition: P, offset: int, key: bytes, record: T) -> bool:
        """Add a record, and return whether `claim` would find it.

        The offsets of a partition rise. A record that was added before is left out.
        """
        if offset < self._next.get(partition, 0):
            return False
        self._next[partition] = offset + 1
        self._unsettled.setdefault(partition, {})[offset] = None
        self._waiting.append(Taken(partition, offset, key, record))
        return key not in self._keys_at_work

    def skip(self, partition: P, offset: int) -> None:
        """Note that the record at this offset, the next one, needs no handling."""
        self._next[partition] = max(offset + 1, self._next.get(partition, 0))

    def claim(self, limit: int) -> list[Taken[P, T]]:
        """Take up to `limit` records, oldest first, whose keys no other claim has."""
        found: list[Taken[P, T]] = []
        left: list[Taken[P, T]] = []
        for each in self._waiting:
            is_free = len(found) < limit and each.key not in self._keys_at_work
            (found if is_free else left).append(each)
        self._waiting = left
        self._keys_at_work.update(each.key for each in found)
        return found

    def settle(self, claimed: Sequence[Taken[P, T]]) -> None:
        """Note that these records are handled."""
        for each in claimed:
            del self._unsettled[each.partition][each.offset]
            self._keys_at_work.discard(each.key)

    def release(self, claimed: Sequence[Taken[P, T]]) -> None:
        """Give back records that were not handled: they are claimed again, before all others."""
        self._waiting[:0] = claimed
        self._keys_at_work.difference_update(each.key for each in claimed)

    def committable(self, partition: P) -> int:
        """Return the offset up to which all records are settled: what may be committed."""
        return next(iter(self._unsettled.get(partition, ())), self._next.get(partition, 0))

    def committable_offsets(self) -> dict[P, int]:
        """Return that offset of each partition of which records were added."""
        return {partition: self.committable(partition) for partition in self._next}

    def clear(self) -> None:
        """Forget everything, as when the partitions are another member's now."""
        self._next.clear()
        self._unsettled.clear()
        self._waiting.clear()
        self._keys_at_work.clear()
