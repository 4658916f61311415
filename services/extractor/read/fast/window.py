"""Bytes of a file by their place; most lie in the parts that are read at once."""

import os

from services.extractor.read.ends import Ends, read_ends
from services.extractor.read.fast.found import Beyond


class Window:
    """A file that is open; its ends are kept.

    Args:
        descriptor: of the file.
        size_bytes: its size.
        ends: of the file, where somebody has read them.
    """

    def __init__(self, descriptor: int, size_bytes: int, ends: Ends | None = None) -> None:
        self.size = size_bytes
        self._ends = read_ends(descriptor, size_bytes) if ends is None else ends
        self.head = self._ends.head
        self._descriptor = descriptor

    def at(self, place: int, length: int) -> bytes:
        """Exactly `length` bytes; `Beyond` where the file has not that many."""
        end = place + length
        if end <= len(self.head):
            return self.head[place:end]
        if end > self.size:
            raise Beyond
        told = self._ends.at(place, end)
        if told is None:
            told = os.pread(self._descriptor, length, place)
        if len(told) != length:
            raise Beyond
        return told

    def end(self, length: int) -> bytes:
        """The last bytes; fewer where the file is shorter."""
        length = min(length, self.size)
        return self.at(self.size - length, length)
