"""A file's beginning and end, read once for all who look there."""

import os
from typing import NamedTuple

HEAD_BYTES = TAIL_BYTES = 2**14


class Ends(NamedTuple):
    """What a file begins and ends with; the end begins at `tail_at`, and may overlap."""

    head: bytes
    tail: bytes
    tail_at: int

    def at(self, place: int, end: int) -> bytes | None:
        """The bytes between two places, as far as the file has them; None where neither has."""
        if end <= len(self.head):
            return self.head[place:end]
        if place >= self.tail_at:
            return self.tail[place - self.tail_at : end - self.tail_at]
        return None


def read_ends(descriptor: int, size_bytes: int) -> Ends:
    """Both ends of an open file of this size."""
    head = os.pread(descriptor, HEAD_BYTES, 0)
    if size_bytes <= HEAD_BYTES:
        return Ends(head, head, 0)
    tail_at = size_bytes - TAIL_BYTES
    return Ends(head, os.pread(descriptor, TAIL_BYTES, tail_at), tail_at)
