"""Where a file's sound lies, apart from its tags, and whether a sample of it can identify it.

Sources: Microsoft's "Multimedia Registration Kit"; Apple's "Audio Interchange File Format" 1.3;
Sony's "DSF File Format Specification"; Philips' "DSDIFF 1.5"; Microsoft's "Advanced Systems Format
Specification"; ISO/IEC 14496-12; RFC 9559 (Matroska); RFC 9639 (FLAC); the "Mp3 Info Tag rev 1
specifications" (LAME).
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from services.extractor.read.containers.chunks import WAVE_FORMS, Chunk, Malformed, chunks_of, first
from services.extractor.read.containers.ebml import (
    elements,
    first_of_each,
    read_header,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound import mp4_samples
from services.extractor.read.sound.bounds import after_flac_blocks, before_tags

_MOST_PARTS = 10_000
"""Objects, blocks or clusters that are gone through."""
_MOST_HEADER_BYTES = 2**16
_FIRST_BYTES = 4_096
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_EBML = b"\x1a\x45\xdf\xa3"
_MATROSKA_TRACKS, _MATROSKA_TRACK, _MATROSKA_CLUSTER = 0x1654AE6B, 0xAE, 0x1F43B675
_MATROSKA_ENCODING = (0x86, 0xE1, 0x63A2)  # codec, sound, the codec's own data
_EXTENSIBLE = 0xFFFE
_VARYING = frozenset((b"MAC ", b"wvpk", b"MPCK", b"TTA1", b"tBaK", b"OFR ", b"ADIF"))
"""Formats whose frames are as long as the sound in them needs; Musepack's older streams too."""
_VARYING_IN_MP4 = frozenset((b"mp4a", b"alac"))
_MPEG_HEADERS = (b"Xing", b"VBRI")
"""In the first frame of a variable bit rate."""
_UNCOMPRESSED_SHARE = 0.98
"""FLAC and ALAC store noise as it is: a file of this share of its samples' size is not smaller."""


class Part(NamedTuple):
    """A part of the file, in bytes from its beginning."""

    start: int
    end: int


class Sound(NamedTuple):
    """Where the sound of a file lies.

    Attributes:
        parts: of the file, in order; empty where it has no sound.
        encoding: what the headers say of the sound's encoding (rate, channels): without it, the
            same bytes may be another sound. b"" where each frame says it.
        is_varying: its frames are as long as the sound in them needs. Two sounds of one length
            are one then, if samples of them are. Uncompressed files and those of a constant bit
            rate are of one length whatever they hold.
        checksum: of all samples, by the encoder; b"" where there is none.
    """

    parts: tuple[Part, ...]
    encoding: bytes = b""
    is_varying: bool = False
    checksum: bytes = b""

    @property
    def length_bytes(self) -> int:
        """The bytes of all parts."""
        return sum(part.end - part.start for part in self.parts)


def sound_of(file: FileBytes, start: int) -> Sound:
    """The sound of a file of any format but Ogg, by what it begins with.

    Args:
        file: the bytes of it.
        start: where it begins after its ID3v2 tags.
    """
    header = file.read(start, 16)
    sound: Sound | None = None
    if header[:4] == b"fLaC":
        return _flac(file, start)
    if header[:4] in WAVE_FORMS:
        sound = _wave(file, start, ">" if header[:4] == b"RIFX" else "<")
    elif header[:4] == b"FORM":
        sound = _aiff(file, start)
    elif header[:4] == b"FRM8":
        sound = _dsdiff(file, start + 16)
    elif header[:4] == b"DSD ":
        sound = _dsf(file, start)
    elif header == _ASF:
        sound = _asf(file, start)
    elif header[4:8] == b"ftyp":
        sound = _mp4(file, start)
    elif header[:4] == _EBML:
        sound = _matroska(file, start)
    if sound is not None:
        return sound
    is_varying = header[:4] in _VARYING or header[:3] == b"MP+" or _is_adts(header)
    is_varying = is_varying or _is_mpeg_of_varying_rate(file.read(start, _FIRST_BYTES))
    return _sound((Part(start, before_tags(file)),), is_varying=is_varying)


def _is_adts(header: bytes) -> bool:
    return header[0] == 0xFF and header[1] & 0xF6 == 0xF0 if len(header) > 1 else False


def _is_mpeg_of_varying_rate(first: bytes) -> bool:
    """Whether the first frame is a header that says so, or has LAME's checksum of all frames.

    The checksum lies in the first block, so that a sample has it.
    """
    if any(name in first for name in _MPEG_HEADERS):
        return True
    at = first.find(b"Info") + 4
    if at < 4 or len(first) < at + 4:
        return False
    flags = first[at + 3]
    # Behind the numbers of frames and bytes, the table, and the quality: LAME's part.
    at += 4 + 4 * (flags & 1) + 2 * (flags & 2) + 25 * (flags & 4) + (flags & 8) // 2
    return first[at : at + 1] == b"L" and any(first[at + 32 : at + 34])  # LAME, Lavf


def _sound(parts: Iterable[Part], encoding: bytes = b"", *, is_varying: bool = False) -> Sound:
    return Sound(tuple(p for p in parts if p.end > p.start), encoding, is_varying)


def _flac(file: FileBytes, start: int) -> Sound:
    part = Part(after_flac_blocks(file, start + 4), before_tags(file))
    stream_info = file.read(start + 8, 34)
    if len(stream_info) < 34 or part.end <= part.start:
        return _sound((part,))
    (packed,) = struct.unpack_from(">Q", stream_info, 10)
    channels, bits = (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    samples_bytes = (packed & 0xFFFFFFFFF) * channels * bits // 8
    is_varying = not 0 < samples_bytes * _UNCOMPRESSED_SHARE <= part.end - part.start
    md5 = stream_info[18:]
    return Sound((part,), stream_info, is_varying, md5 if any(md5) else b"")


def _wave(file: FileBytes, start: int, order: str) -> Sound | None:
    chunks = chunks_of(file, start, order, b"data")
    fmt = first(chunks, b"fmt ")
    return _of_chunks(
        chunks, b"data", _wave_format(file.read(fmt.start, 40) if fmt else b"", order)
    )


def _wave_format(block: bytes, order: str) -> bytes:
    """What decides in a `WAVEFORMATEX`: writers differ in the size of it, and in the rates."""
    if len(block) < 16:
        return block
    tag, channels, rate_hz, bits = struct.unpack_from(f"{order}HHI6xH", block)
    if tag == _EXTENSIBLE and len(block) >= 26:
        (tag,) = struct.unpack_from(f"{order}H", block, 24)  # the sub-format's GUID begins with it
    return struct.pack("<cHHIH", order.encode(), tag, channels, rate_hz, bits)


def _aiff(file: FileBytes, start: int) -> Sound | None:
    chunks = chunks_of(file, start, ">", b"SSND")
    common = first(chunks, b"COMM")
    block = file.read(common.start, min(common.size, 22)) if common else b""
    # Without the number of frames: the length of the chunk tells it.
    encoding = block[:2] + block[6:18] + (block[18:22] or b"NONE")
    return _of_chunks(chunks, b"SSND", encoding)


def _of_chunks(chunks: list[Chunk], name: bytes, encoding: bytes) -> Sound | None:
    found = [Part(one.start, one.start + one.size) for one in chunks if one.name == name]
    return _sound(found, encoding) if found else None


def _dsdiff(file: FileBytes, offset: int) -> Sound | None:
    """DSDIFF's chunks: a name, a wide size, the content, and a byte after an odd size."""
    parts, encoding = [], b""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 12)
        if len(header) < 12:
            break
        name, size = struct.unpack(">4sQ", header)
        begin = offset + 12
        if name == b"PROP":
            encoding = file.read(begin, min(size, _MOST_HEADER_BYTES))
        elif name in {b"DSD ", b"DST "}:
            parts.append(Part(begin, min(begin + size, file.size)))
        offset = begin + size + size % 2
    return _sound(parts, encoding) if parts else None


def _dsf(file: FileBytes, offset: int) -> Sound | None:
    """DSF's chunks, whose sizes count the header too."""
    parts, encoding = [], b""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 12)
        if len(header) < 12:
            break
        name, size = struct.unpack("<4sQ", header)
        if name == b"fmt ":
            encoding = file.read(offset + 12, min(size, 52) - 12) if size > 12 else b""
        elif name == b"data":
            parts.append(Part(offset + 12, min(offset + size, file.size)))
        offset += max(size, 12)
    return _sound(parts, encoding) if parts else None


def _asf(file: FileBytes, start: int) -> Sound | None:
    """ASF's objects: a GUID, and a size that counts the header too. Packets have one size."""
    objects = list(_asf_objects(file, start, file.size))
    data = [Part(begin, end) for guid, begin, end in objects if guid == _ASF_DATA]
    encoding = b""
    for _, begin, end in objects[:1]:  # the header, of objects behind six bytes of its own
        for guid, at, _ in _asf_objects(file, begin + 6, end):
            if guid == _ASF_STREAM:
                encoding += _wave_format(file.read(at + 54, 40), "<")  # behind GUIDs and sizes
    return _sound(data, encoding) if data else None


def _asf_objects(file: FileBytes, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 24)
        if len(header) < 24 or offset >= end:
            return
        guid, size = struct.unpack("<16sQ", header)
        yield guid, offset + 24, min(offset + size, file.size)
        offset += max(size, 24)


def _mp4(file: FileBytes, start: int) -> Sound | None:
    parts: list[Part] = []
    encoding, samples_bytes = b"", 0.0
    is_varying = True
    for name, begin, end in mp4_samples.top_atoms(file, start):
        if name == b"mdat":
            parts.append(Part(begin, min(end, file.size)))
        elif name == b"moov":
            for track in mp4_samples.track_headers(file, begin, min(end, file.size)):
                entry = mp4_samples.sample_entry(track)
                encoding += entry
                samples_bytes += mp4_samples.alac_samples_bytes(track, entry)
                is_varying = is_varying and entry[4:8] in _VARYING_IN_MP4
    sound = _sound(parts, encoding, is_varying=is_varying)
    if 0 < samples_bytes * _UNCOMPRESSED_SHARE <= sound.length_bytes:
        sound = sound._replace(is_varying=False)
    return sound if parts else None


def _matroska(file: FileBytes, start: int) -> Sound | None:
    """The clusters; a live stream's, whose size is unknown, lasts to the file's end."""
    parts: list[Part] = []
    encoding = b""
    with suppress(Malformed, IndexError):  # the end, or damage: what was found before counts
        _, offset, size = read_header(file, start)
        _, offset, _ = read_header(file, offset + size)  # the segment
        while True:
            kind, begin, size = read_header(file, offset)
            if kind == _MATROSKA_CLUSTER:
                is_last = size < 0 or len(parts) == _MOST_PARTS
                parts.append(Part(begin, file.size if is_last else min(begin + size, file.size)))
                if is_last:
                    break
            elif kind == _MATROSKA_TRACKS and size <= _MOST_HEADER_BYTES:
                encoding = _matroska_tracks(file.read(begin, size))
            if size < 0:
                break
            offset = begin + size
    return _sound(parts, encoding) if parts else None


def _matroska_tracks(content: bytes) -> bytes:
    """What decides of the tracks: codecs, channels and rates, not names and languages."""
    tracks = [first_of_each(entry) for kind, entry in elements(content) if kind == _MATROSKA_TRACK]
    return b"".join(track.get(kind, b"") for track in tracks for kind in _MATROSKA_ENCODING)
