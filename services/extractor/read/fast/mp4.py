"""MP4: its atoms, and what they say of the sound. Source: ISO/IEC 14496-12, sections 4 and 8."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from services.extractor.read.fast.found import Beyond, Found, Info
from services.extractor.read.fast.mp4_sound import read_description
from services.extractor.read.fast.mp4_tags import Tags, tag
from services.extractor.read.fast.window import Window

_HEAD = struct.Struct(">I4s")
_INSIDE = frozenset((b"moov", b"udta", b"trak", b"mdia", b"meta", b"ilst", b"stbl", b"minf"))
_FRAGMENTS = frozenset((b"moof", b"traf"))
_MOST_DEPTH = 12


class Atom(NamedTuple):
    """An atom within a block: where its content is, and what atoms are in it."""

    name: bytes
    start: int
    end: int
    inside: "Sequence[Atom]"

    def child(self, *names: bytes) -> "Atom | None":
        """The first of a name, or the first in the first of a name..."""
        found = self
        for name in names:
            for atom in found.inside:
                if atom.name == name:
                    found = atom
                    break
            else:
                return None
        return found


def read(window: Window) -> Found:
    """An MP4 file in one piece, without chapters."""
    block = _movie(window)
    movie = Atom(b"moov", 0, len(block), _atoms(block, 0, len(block)))
    if movie.child(b"udta", b"chpl"):
        raise Beyond
    tags: Tags | None = None
    items = movie.child(b"udta", b"meta", b"ilst")
    if items is not None:
        tags = {}
        for atom in items.inside:
            tag(atom.name, block[atom.start : atom.end], tags)
    return Found(_info(block, movie), tags)


def _movie(window: Window) -> bytes:
    """The content of the one atom that tells of all."""
    place, block = 0, None
    while place + 8 <= window.size:
        size, name = _HEAD.unpack(window.at(place, 8))
        start = place + 8
        if size == 1:
            size, start = int.from_bytes(window.at(start, 8), "big"), start + 8
        if size < start - place or place + size > window.size:
            raise Beyond
        if name == b"moov" and block is None:
            block = window.at(start, place + size - start)
        elif name in _INSIDE or name in _FRAGMENTS:
            raise Beyond
        place += size
    if block is None:
        raise Beyond
    return block


def _atoms(block: bytes, place: int, end: int, depth: int = 0) -> list[Atom]:
    """The atoms that fill a stretch, and those in them."""
    found = []
    while place < end:
        size, name = _HEAD.unpack_from(block, place)
        start, after = place + 8, place + size
        if size < 8 or after > end or name in _FRAGMENTS or depth > _MOST_DEPTH:
            raise Beyond
        inside: Sequence[Atom] = ()
        if name in _INSIDE:
            inside = _atoms(block, start + (4 if name == b"meta" else 0), after, depth + 1)
        found.append(Atom(name, start, after, inside))
        place = after
    if place != end:
        raise Beyond
    return found


def _info(block: bytes, movie: Atom) -> Info:
    """Of the first track that sounds."""
    for track in movie.inside:
        if track.name == b"trak":
            handler = track.child(b"mdia", b"hdlr")
            if handler is None:
                raise Beyond
            if block[handler.start + 8 : min(handler.start + 12, handler.end)] == b"soun":
                break
    else:
        raise Beyond
    header, description = track.child(b"mdia", b"mdhd"), track.child(*_DESCRIPTION)
    if header is None:
        raise Beyond
    info = Info(length=_length_s(block[header.start : header.end]), sample_rate=0, channels=0)
    info.bits_per_sample = 0
    if description is not None:
        read_description(block[description.start : description.end], info)
    return info


_DESCRIPTION = (b"mdia", b"minf", b"stbl", b"stsd")


def _length_s(header: bytes) -> float:
    if header[0] == 0:
        unit, length = struct.unpack_from(">2I", header, 12)
    elif header[0] == 1:
        unit, length = struct.unpack_from(">IQ", header, 20)
    else:
        raise Beyond
    return float(length) / unit if unit else 0.0
