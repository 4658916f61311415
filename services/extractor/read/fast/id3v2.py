"""ID3v2.2, 2.3 and 2.4 tags.

Source: https://id3.org/id3v2.4.0-structure
"""

from services.extractor.read.fast.found import Beyond
from services.extractor.read.fast.id3_frames import Frames
from services.extractor.read.fast.id3_kinds import NAMES_OF_V22, frame
from services.extractor.read.fast.window import Window

_HEAD_BYTES = 10
_V22, _V23, _V24 = 2, 3, 4
_MOST_SAFE_BYTE = 127
_EMPTY = bytes(_HEAD_BYTES)


def read(window: Window, frames: Frames) -> tuple[int, int]:
    """Add the frames of the tag at a file's beginning; its version and its size with its head.

    Raises:
        Beyond: it has flags, or frames that are unusual, twice there, or cut off.
    """
    head = window.at(0, _HEAD_BYTES)
    version, revision, flags = head[3:6]
    if not _V22 <= version <= _V24 or revision or flags or max(head[6:]) > _MOST_SAFE_BYTE:
        raise Beyond
    size = _synchsafe(head[6:])
    block = window.at(_HEAD_BYTES, size)
    if version == _V22:
        _read_v22(block, frames)
    else:
        _read_later(block, frames, version)
    return version, _HEAD_BYTES + size


def _synchsafe(written: bytes) -> int:
    return written[0] << 21 | written[1] << 14 | written[2] << 7 | written[3]


def _keep(frames: Frames, name: str, content: bytes, *, is_old: bool) -> None:
    told = frame(name, content, is_old=is_old)
    if told is None:
        return
    key, found = told
    while name == "APIC" and key in frames:
        key += " "  # images may have one description
    if key in frames:
        raise Beyond
    frames[key] = found


def _read_v22(block: bytes, frames: Frames) -> None:
    place, whole = 0, len(block)
    while whole - place >= 6 and block[place : place + 3] != b"\0\0\0":
        size = int.from_bytes(block[place + 3 : place + 6], "big")
        name = NAMES_OF_V22.get(block[place : place + 3])
        place += 6 + size
        if name is None or place > whole:
            raise Beyond
        if size:
            _keep(frames, name, block[place - size : place], is_old=True)


def _read_later(block: bytes, frames: Frames, version: int) -> None:
    place, whole, count, is_ambiguous = 0, len(block), 0, False
    is_old = version < _V24
    while whole - place >= _HEAD_BYTES:
        head = block[place : place + _HEAD_BYTES]
        if head[:4] == b"\0\0\0\0":
            if head != _EMPTY:
                raise Beyond
            break
        if is_old:
            size = int.from_bytes(head[4:8], "big")
        else:
            size = _synchsafe(head[4:8])
            is_ambiguous |= size > _MOST_SAFE_BYTE
            if max(head[4:8]) > _MOST_SAFE_BYTE:
                raise Beyond
        begin = place + _HEAD_BYTES
        place = begin + size
        if place > whole or head[8:] != b"\0\0":
            raise Beyond
        if size:
            _keep(frames, head[:4].decode("ascii"), block[begin:place], is_old=is_old)
            count += 1
    if is_ambiguous and _frames_by_plain_sizes(block) > count:
        raise Beyond


def _frames_by_plain_sizes(block: bytes) -> int:
    """How many frames there are at most, were sizes plain numbers as iTunes once wrote them."""
    count = place = 0
    while place < len(block) - _HEAD_BYTES:
        if block[place : place + _HEAD_BYTES] == _EMPTY:
            break
        place += _HEAD_BYTES + int.from_bytes(block[place + 4 : place + 8], "big")
        count += 1
    return count
