"""Reads a TensorFlow 1 checkpoint without TensorFlow.

A checkpoint is two files: `.index`, an uncompressed LevelDB table from a tensor's name to a
protocol-buffer message (BundleEntryProto: type, shape, offset, size), and `.data-00000-of-00001`,
the values of all tensors. Sources: LevelDB's doc/table_format.md, TensorFlow's
core/protobuf/tensor_bundle.proto.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.float32]]

_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER = 48
_FLOAT32 = 1
_WIDTH = {1: 8, 5: 4}
"""Bytes of the two fixed-width wire types of protocol buffers."""


class UnreadableCheckpoint(ValueError):
    """The files are not a checkpoint, or are damaged: install the package again."""


def read_checkpoint(folder: Path, *, wanted: Callable[[str], bool]) -> Tensors:
    """Read float32 tensors, each in its shape and in native byte order.

    Args:
        folder: holds `.index` and `.data-00000-of-00001`.
        wanted: whether to read the tensor of this name.

    Raises:
        UnreadableCheckpoint: the files are not a valid checkpoint.
        OSError: they cannot be read.
    """
    index = (folder / ".index").read_bytes()
    try:
        data = np.memmap(folder / ".data-00000-of-00001", dtype=np.uint8, mode="r")
        entries = dict(_table(index))
        return {
            name.decode(): _tensor(entry, data)
            for name, entry in entries.items()
            if name and wanted(name.decode())
        }
    except (IndexError, ValueError, KeyError) as error:
        raise UnreadableCheckpoint(f"{folder} holds no readable checkpoint: {error}") from error


def _tensor(entry: bytes, data: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The tensor of a BundleEntryProto: field 1 type, 2 shape, 4 offset, 5 size in bytes."""
    fields = dict(_message(entry))
    if fields[1] != _FLOAT32:
        raise ValueError("a tensor that is not float32")
    shape = tuple(_sizes(fields.get(2, b"")))
    offset, size = int(fields.get(4, 0)), int(fields[5])
    if size != 4 * math.prod(shape) or offset + size > len(data):
        raise ValueError("a tensor that ends beyond its file")
    values = data[offset : offset + size].view("<f4").astype(np.float32)
    return values.reshape(shape)


def _sizes(shape: bytes | int) -> Iterator[int]:
    """The dimensions of a TensorShapeProto: each is a field 2, whose field 1 is its size."""
    if not isinstance(shape, bytes):
        raise ValueError("a tensor without a shape")  # noqa: TRY004 - the file is wrong, no type
    for number, dimension in _message(shape):
        if number == 2 and isinstance(dimension, bytes):
            yield int(dict(_message(dimension)).get(1, 0))


def _table(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table, whose index block points at its data blocks."""
    if len(index) < _FOOTER or index[-8:] != _MAGIC:
        raise ValueError("the index is no LevelDB table")
    footer = index[-_FOOTER:]
    at = 0
    handle = []
    for _ in range(4):  # offset and size of the metaindex block, then of the index block
        number, at = _varint(footer, at)
        handle.append(number)
    for _, block in _block(index, handle[2], handle[3]):
        offset, at = _varint(block, 0)
        size, _ = _varint(block, at)
        yield from _block(index, offset, size)


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block; a key shares its first bytes with the one before."""
    block = index[offset : offset + size]
    if index[offset + size] != 0:  # the byte behind a block is its compression
        raise ValueError("the index is compressed")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    key = b""
    at = 0
    while at < end:
        shared, at = _varint(block, at)
        rest, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + rest]
        yield key, block[at + rest : at + rest + length]
        at += rest + length


def _message(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol-buffer message, with their numbers; varints as int, else bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire_type = tag & 7
        if wire_type == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire_type == 2:
            length, at = _varint(message, at)
        else:
            length = _WIDTH[wire_type]
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint (base 128, lowest digits first), and the offset behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
