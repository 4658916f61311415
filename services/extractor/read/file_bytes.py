"""Random access to an open file, whose first and last 16 KB are read once and kept.

The fast parsers and the content hash read mostly there, so that a file takes few system calls.
"""

import os

_HEAD_BYTES = _TAIL_BYTES = 2**14


class FileBytes:
    """The bytes of an open file. Reading does not move the file's position.

    Attributes:
        descriptor: of the file.
        size: of the file, in bytes.
        head: its first 16 KB.
    """

    __slots__ = ("_tail", "_tail_offset", "descriptor", "head", "size")

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self.descriptor = descriptor
        self.size = size_bytes
        self.head = os.pread(descriptor, _HEAD_BYTES, 0)
        if size_bytes <= _HEAD_BYTES:
            self._tail, self._tail_offset = self.head, 0
        else:
            self._tail_offset = size_bytes - _TAIL_BYTES
            self._tail = os.pread(descriptor, _TAIL_BYTES, self._tail_offset)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset; fewer, or none, where the file ends before."""
        if not 0 <= offset < self.size:
            return b""
        end = offset + length
        if end <= len(self.head):
            return self.head[offset:end]
        if offset >= self._tail_offset:
            return self._tail[offset - self._tail_offset : end - self._tail_offset]
        return os.pread(self.descriptor, length, offset)

    def read_exactly(self, offset: int, length: int) -> bytes:
        """All the bytes at an offset.

        Raises:
            EOFError: the file has not that many.
        """
        end = offset + length
        if end <= len(self.head):  # nearly always, and by far the shortest way
            return self.head[offset:end]
        if end > self.size:
            raise EOFError
        content = self.read(offset, length)
        if len(content) != length:  # the file was cut meanwhile
            raise EOFError
        return content

    def read_tail(self, length: int) -> bytes:
        """The last bytes; fewer where the file is shorter."""
        length = min(length, self.size)
        return self.read_exactly(self.size - length, length)
