"""Traktor's tree of frames (TRAKTOR4): cues, loops, the grid's first beat, tempo and key. Pure.

ID3 has it in a PRIV frame, FLAC in a comment, in basE91. A frame is a name of four letters, written
backwards, the size of its content, the number of frames in it, and these frames or a value; numbers
are little-endian. Source: https://hellricer.github.io/2021/05/05/decoding-traktor4-field.html
"""

import struct
from collections.abc import Iterator

from services.extractor.tags.normalise import first
from shared.gateway.facts import (
    add_cues,
    add_grid,
    add_problem,
    add_tempo,
    cue,
    grid_marker,
)
from shared.gateway.inputs import CueInput, ImportedFactInput

SOURCE = "traktor"
KINDS = {0: "CUE", 1: "FADE_IN", 2: "FADE_OUT", 3: "LOAD", 5: "LOOP"}
_GRID = 4
_NAMELESS = "n.n."
_ALPHABET = (
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,./:;<=>?@[]^_`{|}~"'
)
_DIGITS = {letter: number for number, letter in enumerate(_ALPHABET)}
_FRAME = struct.Struct("<4s2I")
_NUMBER = struct.Struct("<I")
# Order in the list, kind, start and length in ms, repeats, hot cue (-1: none).
_CUE = struct.Struct("<2i2d2i")
_MOST_FRAMES = 10_000


def add(_name: str, content: bytes, fact: ImportedFactInput) -> None:
    """Add what the tree says to the fact; what is damaged is named in its `problem`."""
    try:
        values = dict(_values(content))
        cues = list(_cues(values.get(b"CUEP", b"")))
        tempo = values.get(b"BPMT")
        tempo_bpm = struct.unpack("<f", tempo)[0] if tempo else 0.0
        key = values.get(b"TKEY")
        if key and (text := first([_text(key, 0)[0]], 100)):
            fact.key = text
        add_tempo(fact, tempo_bpm)
        grids = [start_s for kind, start_s, _ in cues if kind == _GRID]
        if grids and tempo_bpm:
            add_grid(fact, [grid_marker(min(grids), tempo_bpm)])
        add_cues(fact, (each for _, _, each in cues))
    except (ValueError, struct.error):
        add_problem(fact, "Traktor's data cannot be read")


def decode_base91(text: str) -> bytes:
    """The bytes of a text in basE91; other letters are passed over.

    Source: https://base91.sourceforge.net. Two letters hold 13 bits, or 14 where that many fit.
    """
    decoded = bytearray()
    pending = bits = 0
    low: int | None = None
    for letter in text:
        digit = _DIGITS.get(letter)
        if digit is None:
            continue
        if low is None:
            low = digit
            continue
        pair, low = low + digit * len(_ALPHABET), None
        pending |= pair << bits
        bits += 13 if pair & 8191 > 88 else 14
        while bits > 7:
            decoded.append(pending & 255)
            pending >>= 8
            bits -= 8
    if low is not None:
        decoded.append((pending | low << bits) & 255)
    return bytes(decoded)


def _values(tree: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the frames that have no frames in them, however deep they lie.

    Raises:
        ValueError: it is no tree, or cut off.
    """
    if not tree.startswith(b"DMRT"):
        raise ValueError("no tree")
    offset, pending = 0, 1
    for _ in range(_MOST_FRAMES):
        if not pending:
            return
        written, size, children = _FRAME.unpack_from(tree, offset)
        offset += _FRAME.size
        pending += children - 1
        if not children:
            if offset + size > len(tree):
                raise ValueError("a frame is cut off")
            yield written[::-1], tree[offset : offset + size]
            offset += size


def _cues(content: bytes) -> Iterator[tuple[int, float, CueInput | None]]:
    """Kind and start of each cue, and the cue; None is that of the grid."""
    (count,) = _NUMBER.unpack_from(content) if content else (0,)
    offset = _NUMBER.size
    for _ in range(count):
        name, offset = _text(content, offset + _NUMBER.size)
        _, kind, start_ms, length_ms, _, index = _CUE.unpack_from(content, offset)
        offset += _CUE.size
        known = None
        if kind in KINDS:
            known = cue(
                KINDS[kind],
                start_ms / 1_000,
                end_s=(start_ms + length_ms) / 1_000 if length_ms > 0 else None,
                index=index,
                name="" if name == _NAMELESS else name,
            )
        yield kind, start_ms / 1_000, known


def _text(content: bytes, offset: int) -> tuple[str, int]:
    """A text of as many UTF-16 units as the number before it says, and the offset after it."""
    (length,) = _NUMBER.unpack_from(content, offset)
    start, end = offset + _NUMBER.size, offset + _NUMBER.size + length * 2
    if end > len(content):
        raise ValueError("a text is cut off")
    return content[start:end].decode("utf-16-le", "replace"), end
