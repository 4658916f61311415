"""Bytes of a file by their place; most lie in the part that is read at once."""

import os

from services.extractor.quick.found import Beyond

HEAD_BYTES = 16_384


class Window:
    """A file that is open; its beginning is kept.

    Args:
        descriptor: of the file.
        size_bytes: its size.
        head: the first `HEAD_BYTES` of it, where somebody has read them.
    """

    def __init__(self, descriptor: int, size_bytes: int, head: bytes | None = None) -> None:
        self.size = size_bytes
        self.head = os.pread(descriptor, HEAD_BYTES, 0) if head is None else head
        self._descriptor = descriptor

    def at(self, place: int, length: int) -> bytes:
        """Exactly `length` bytes; `Beyond` where the file has not that many."""
        end = place + length
        if end <= len(self.head):
            return self.head[place:end]
        if end > self.size:
            raise Beyond
        told = os.pread(self._descriptor, length, place)
        if len(told) != length:
            raise Beyond
        return told

    def end(self, length: int) -> bytes:
        """The last bytes; fewer where the file is shorter."""
        length = min(length, self.size)
        return self.at(self.size - length, length)
