"""A topic of the in-process bus: partitions of records, and the offsets of each group.

Pure data: nothing waits here. A record is kept until every group has committed it.
"""

import zlib
from collections import deque
from dataclasses import dataclass
from itertools import islice

from shared.contracts.envelope import Message


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that one member of a group holds. Other members cannot claim its partitions."""

    group: str
    records: list[Message]
    ends: dict[int, int]
    """Partition -> the offset after its last record in the batch."""


class _Group:
    """The committed offsets of a group, and the partitions that its members hold."""

    def __init__(self, offsets: list[int]) -> None:
        self.committed = offsets
        self.claimed: set[int] = set()
        self.start = 0
        """The partition where the next claim begins to look, so that all have their turn."""


class TopicLog:
    """The records of a topic.

    Args:
        partitions: their number. Records of one key are in one partition, in order.
        by_folder: keys are paths, and all files of a folder are in one partition, so that an
            album's files are handled together, and what they have in common is stored once.
    """

    def __init__(self, partitions: int, *, by_folder: bool = False) -> None:
        self._by_folder = by_folder
        self._records: list[deque[Message]] = [deque() for _ in range(partitions)]
        self._base = [0] * partitions
        self._groups: dict[str, _Group] = {}
        self.held = 0
        """The number of records that not all groups have committed."""

    def add_group(self, group: str) -> None:
        """Keep records for this group from now on."""
        if group in self._groups:
            raise ValueError(f"{group} has subscribed to this topic before")
        self._groups[group] = _Group(list(self._base))

    def append(self, record: Message) -> None:
        """Append a record to its key's partition; it is dropped if no group reads the topic."""
        if self._groups:
            self._records[self._partition(record.key)].append(record)
            self.held += 1

    def _partition(self, key: bytes) -> int:
        hashed = (key.rpartition(b"/")[0] or key) if self._by_folder else key
        return zlib.crc32(hashed) % len(self._records)

    def ready(self, group: str, max_partitions: int) -> int:
        """Return how many records `claim` would find without a limit."""
        return sum(waiting for _, waiting in self._free(self._groups[group], max_partitions))

    def claim(self, group: str, *, limit: int, max_partitions: int) -> Claim | None:
        """Take up to `limit` records from at most `max_partitions` partitions that are free.

        Each partition contributes alike, so that records that were added together are handled
        together.
        """
        state = self._groups[group]
        records: list[Message] = []
        ends: dict[int, int] = {}
        for partition, count in _shares(self._free(state, max_partitions), limit).items():
            offset = state.committed[partition]
            skipped = offset - self._base[partition]
            records += islice(self._records[partition], skipped, skipped + count)
            ends[partition] = offset + count
        if not records:
            return None
        state.claimed.update(ends)
        state.start = (max(ends) + 1) % len(self._records)
        return Claim(group, records, ends)

    def _free(self, state: _Group, max_partitions: int) -> list[tuple[int, int]]:
        """Return the partitions that have records and are free, and how many each has."""
        count = len(self._records)
        found: list[tuple[int, int]] = []
        for step in range(count):
            partition = (state.start + step) % count
            if partition in state.claimed:
                continue
            end = self._base[partition] + len(self._records[partition])
            waiting = end - state.committed[partition]
            if waiting:
                found.append((partition, waiting))
                if len(found) == max_partitions:
                    break
        return found

    def commit(self, claim: Claim) -> None:
        """Commit the claim's records, and drop those that all groups have committed."""
        state = self._groups[claim.group]
        for partition, end in claim.ends.items():
            state.committed[partition] = end
            slowest = min(group.committed[partition] for group in self._groups.values())
            for _ in range(slowest - self._base[partition]):
                self._records[partition].popleft()
                self.held -= 1
            self._base[partition] = slowest
        self.release(claim)

    def release(self, claim: Claim) -> None:
        """Free the claim's partitions; records that were not committed are claimed again."""
        self._groups[claim.group].claimed.difference_update(claim.ends)

    def lag(self, group: str) -> int:
        """Return how many records the group has not committed, those in flight included."""
        committed = self._groups[group].committed
        return sum(
            base + len(records) - done
            for base, records, done in zip(self._base, self._records, committed, strict=True)
        )


def _shares(free: list[tuple[int, int]], limit: int) -> dict[int, int]:
    """Return how many records to take from each partition: `limit` in all, if so many wait."""
    shares: dict[int, int] = {}
    left = limit
    for place, (partition, waiting) in enumerate(free):
        shares[partition] = min(waiting, -(-left // (len(free) - place)))
        left -= shares[partition]
    for partition, waiting in free:
        more = min(waiting - shares[partition], left)
        shares[partition] += more
        left -= more
    return {partition: count for partition, count in shares.items() if count}
