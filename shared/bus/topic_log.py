"""A topic of the in-process bus: partitions of records, and the offsets of each group.

Pure data: nothing waits here. A record is kept until every group has committed it.
"""

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from shared.bus.window import Taken, Window
from shared.contracts.envelope import Message

_READ_AHEAD = 100
_MOST_WAITING = 1_000
"""A group ordered by key reads no more while so many records wait for others of their key."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that one member of a group holds.

    Other members cannot claim its partitions; where the group is ordered by key, its keys.
    """

    group: str
    records: list[Message]
    ends: dict[int, int]
    """Partition -> the offset after its last record in the batch."""
    taken: Sequence[Taken[int, Message]] = ()
    """The records of a group that is ordered by key."""


class _Group:
    """The committed offsets of a group, and the partitions that its members hold."""

    def __init__(self, offsets: list[int], *, by_key: bool) -> None:
        self.committed = offsets
        self.claimed: set[int] = set()
        self.window: Window[int, Message] | None = Window() if by_key else None
        self.read = list(offsets)
        """The offset that comes into the window next, by partition."""
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

    def add_group(self, group: str, *, by_key: bool = False) -> None:
        """Keep records for this group from now on.

        Args:
            group: its name.
            by_key: a claim holds its keys, and not its partitions.
        """
        if group in self._groups:
            raise ValueError(f"{group} has subscribed to this topic before")
        self._groups[group] = _Group(list(self._base), by_key=by_key)

    def append(self, record: Message) -> None:
        """Append a record to its key's partition; it is dropped if no group reads the topic."""
        if self._groups:
            self._records[self._partition(record.key)].append(record)
            self.held += 1

    def _partition(self, key: bytes) -> int:
        hashed = (key.rpartition(b"/")[0] or key) if self._by_folder else key
        return zlib.crc32(hashed) % len(self._records)

    def ready(self, group: str, max_partitions: int) -> int:
        """Return how many records `claim` would find without a limit.

        A group that is ordered by key looks at the next hundred.
        """
        state = self._groups[group]
        if state.window is not None:
            return self._fill(state, state.window)
        return sum(waiting for _, waiting in self._free(state, max_partitions))

    def claim(self, group: str, *, limit: int, max_partitions: int) -> Claim | None:
        """Take up to `limit` records from at most `max_partitions` partitions that are free.

        Each partition contributes alike, so that records that were added together are handled
        together.
        """
        state = self._groups[group]
        if state.window is not None:
            self._fill(state, state.window)
            taken = state.window.claim(limit)
            return Claim(group, [each.record for each in taken], {}, taken) if taken else None
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

    def _fill(self, state: _Group, window: Window[int, Message]) -> int:
        """Read into the window, from each partition in turn; return how many records are free."""
        count = len(self._records)
        at_end = 0
        free = window.free
        while free < _READ_AHEAD and window.waiting < _MOST_WAITING and at_end < count:
            partition = state.start
            state.start = (partition + 1) % count
            place = state.read[partition] - self._base[partition]
            if place >= len(self._records[partition]):
                at_end += 1
                continue
            record = self._records[partition][place]
            free += window.add(partition, state.read[partition], record.key, record)
            state.read[partition] += 1
            at_end = 0
        return free

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
        ends = claim.ends
        if state.window is not None:
            state.window.settle(claim.taken)
            ends = {
                each.partition: state.window.committable(each.partition) for each in claim.taken
            }
        for partition, end in ends.items():
            state.committed[partition] = end
            slowest = min(group.committed[partition] for group in self._groups.values())
            for _ in range(slowest - self._base[partition]):
                self._records[partition].popleft()
                self.held -= 1
            self._base[partition] = slowest
        state.claimed.difference_update(ends)

    def release(self, claim: Claim) -> None:
        """Free the claim's partitions or keys; its records are claimed again."""
        state = self._groups[claim.group]
        state.claimed.difference_update(claim.ends)
        if state.window is not None:
            state.window.release(claim.taken)

    def lag(self, group: str) -> int:
        """Return how many records the group has not handled, those in flight included."""
        state = self._groups[group]
        done = state.committed if state.window is None else state.read
        unread = sum(
            base + len(records) - offset
            for base, records, offset in zip(self._base, self._records, done, strict=True)
        )
        return unread + (len(state.window) if state.window is not None else 0)


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
