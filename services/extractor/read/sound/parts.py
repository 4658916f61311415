"""Where a file's sound lies, apart from its tags, and how much of it says which sound it is.

Sources: Microsoft's "Multimedia Registration Kit"; Apple's "Audio Interchange File Format" 1.3;
Sony's "DSF File Format Specification"; Philips' "DSDIFF 1.5"; Microsoft's "Advanced Systems Format
Specification"; ISO/IEC 14496-12; RFC 9559 (Matroska); RFC 9639 (FLAC).
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
    text_of,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound import mp4_samples

_MOST_PARTS = 10_000
"""Objects, blocks or clusters that are gone through."""
_MOST_HEADER_BYTES = 2**16
_MOST_TRACK_BYTES = 4_096
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_EBML = b"\x1a\x45\xdf\xa3"
_MATROSKA_TRACKS, _MATROSKA_TRACK, _MATROSKA_CLUSTER = 0x1654AE6B, 0xAE, 0x1F43B675
_EXTENSIBLE = 0xFFFE
_WAVE_PCM = frozenset((0x01, 0x02, 0x03, 0x06, 0x07, 0x11))
"""Format tags of codecs whose blocks all have one size: PCM, ADPCM, A-law and mu-law."""
_MP4_PCM = frozenset((
    b"sowt", b"twos", b"lpcm", b"raw ", b"NONE", bytes(4), b"in24", b"in32", b"fl32", b"fl64",
    b"ipcm", b"fpcm", b"ulaw", b"alaw", b"ima4", b"ms\0\x02", b"ms\0\x11",
))  # fmt: skip
_MATROSKA_PCM = ("A_PCM", "A_MS/ACM", "A_QUICKTIME")
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
        is_compressed: by a codec that makes less of it, the more it repeats itself.
        checksum: of all samples, by the encoder; b"" where there is none.
    """

    parts: tuple[Part, ...]
    encoding: bytes = b""
    is_compressed: bool = True
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
    return sound or _sound((Part(start, before_tags(file)),))


def _sound(parts: Iterable[Part], encoding: bytes = b"", *, is_compressed: bool = True) -> Sound:
    return Sound(tuple(p for p in parts if p.end > p.start), encoding, is_compressed)


def after_id3v2(file: FileBytes) -> int:
    """Where a file begins after its ID3v2 tags, of which there may be several."""
    start = 0
    for _ in range(5):
        header = file.read(start, 10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:]) > 127:
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        start += 10 + size + (10 if header[5] & 0x10 else 0)  # with a footer
    return start


def before_tags(file: FileBytes) -> int:
    """The end of the file without the tags behind the sound: ID3v1, APEv2, Lyrics3."""
    end = file.size
    for _ in range(5):
        tail = file.read(max(0, end - 160), min(160, end))
        if tail[-128:-125] == b"TAG":
            end -= 128
        elif tail[-32:-24] == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", tail[-20:-8])
            end -= size + (32 if flags >> 31 else 0)  # the size leaves the header out
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            end -= int(tail[-15:-9]) + 15
        else:
            break
    return max(end, 0)


def after_flac_blocks(file: FileBytes, offset: int) -> int:
    """Where FLAC's frames begin, from the offset of its first block."""
    for _ in range(_MOST_PARTS):
        (header,) = struct.unpack(">I", file.read(offset, 4))
        offset += 4 + (header & 0xFFFFFF)
        if header >> 31:  # the last block before the frames
            break
    return offset


def _flac(file: FileBytes, start: int) -> Sound:
    part = Part(after_flac_blocks(file, start + 4), before_tags(file))
    stream_info = file.read(start + 8, 34)
    if len(stream_info) < 34 or part.end <= part.start:
        return _sound((part,))
    (packed,) = struct.unpack_from(">Q", stream_info, 10)
    channels, bits = (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    samples_bytes = (packed & 0xFFFFFFFFF) * channels * bits // 8
    is_compressed = not 0 < samples_bytes * _UNCOMPRESSED_SHARE <= part.end - part.start
    md5 = stream_info[18:]
    return Sound((part,), stream_info, is_compressed, md5 if any(md5) else b"")


def _wave(file: FileBytes, start: int, order: str) -> Sound | None:
    chunks = chunks_of(file, start, order, b"data")
    fmt = first(chunks, b"fmt ")
    return _of_chunks(chunks, b"data", _wave_format(file.read(fmt.start, 40) if fmt else b"", order))


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
    return _sound(found, encoding, is_compressed=False) if found else None


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
    return _sound(parts, encoding, is_compressed=False) if parts else None


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
    return _sound(parts, encoding, is_compressed=False) if parts else None


def _asf(file: FileBytes, start: int) -> Sound | None:
    """ASF's objects: a GUID, and a size that counts the header too."""
    objects = list(_asf_objects(file, start, file.size))
    data = [Part(begin, end) for guid, begin, end in objects if guid == _ASF_DATA]
    if not data:
        return None
    encoding = b""
    for _, begin, end in objects[:1]:  # the header, of objects behind six bytes of its own
        for guid, at, _ in _asf_objects(file, begin + 6, end):
            if guid == _ASF_STREAM:
                encoding += _wave_format(file.read(at + 54, 40), "<")  # behind GUIDs and sizes
    is_compressed = int.from_bytes(encoding[1:3], "little") not in _WAVE_PCM
    return _sound(data, encoding, is_compressed=is_compressed)


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
    is_compressed = True
    for name, begin, end in mp4_samples.top_atoms(file, start):
        if name == b"mdat":
            parts.append(Part(begin, min(end, file.size)))
        elif name == b"moov":
            for track in _mp4_tracks(file, begin, min(end, file.size)):
                entry = _mp4_entry(track)
                encoding += entry
                samples_bytes += _alac_samples_bytes(track, entry)
                is_compressed = is_compressed and entry[4:8] not in _MP4_PCM
    sound = _sound(parts, encoding, is_compressed=is_compressed)
    if 0 < samples_bytes * _UNCOMPRESSED_SHARE <= sound.length_bytes:
        sound = sound._replace(is_compressed=False)
    return sound if parts else None


def _mp4_tracks(file: FileBytes, offset: int, end: int) -> Iterator[bytes]:
    """The begin of each track of sound: its tables come later, and may be long."""
    while offset < end:
        size, name = struct.unpack(">I4s", file.read(offset, 8).ljust(8, b"\0"))
        if size < 8:
            break
        if name == b"trak":
            track = file.read(offset, min(size, _MOST_TRACK_BYTES))
            if b"hdlr" in track and b"soun" in track:
                yield track
        offset += size


def _mp4_entry(track: bytes) -> bytes:
    """The first entry of a track's sample description: its size, the codec, and the rest."""
    at = track.find(b"stsd") + 12
    (size,) = struct.unpack_from(">I", track.ljust(at + 4, b"\0"), at)
    return track[at : at + size] if at >= 12 else b""


def _alac_samples_bytes(track: bytes, entry: bytes) -> float:
    """The bytes of a track's samples before ALAC; 0 for another codec."""
    times, cookie = track.find(b"mdhd") + 4, entry.find(b"alac", 8) + 8
    if entry[4:8] != b"alac" or times < 4 or cookie < 8 or len(entry) < cookie + 24:
        return 0.0
    wide = track[times] == 1
    scale, units = struct.unpack_from(">IQ" if wide else ">II", track, times + (20 if wide else 12))
    (rate_hz,) = struct.unpack_from(">I", entry, cookie + 20)
    return units / scale * rate_hz * entry[cookie + 5] * entry[cookie + 9] / 8 if scale else 0.0


def _matroska(file: FileBytes, start: int) -> Sound | None:
    """The clusters; a live stream's, whose size is unknown, lasts to the file's end."""
    parts: list[Part] = []
    encoding, is_compressed = b"", True
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
            elif kind == _MATROSKA_TRACKS:
                encoding, is_compressed = _matroska_tracks(file.read(begin, size))
            if size < 0:
                break
            offset = begin + size
    return _sound(parts, encoding, is_compressed=is_compressed) if parts else None


def _matroska_tracks(content: bytes) -> tuple[bytes, bool]:
    """What decides of the tracks of sound, and whether all their codecs compress."""
    encoding, is_compressed = b"", True
    for kind, entry in elements(content):
        track = first_of_each(entry)
        if kind != _MATROSKA_TRACK or track.get(0x83) != b"\2":
            continue
        codec = text_of(track.get(0x86, b""))
        encoding += codec.encode() + track.get(0xE1, b"") + track.get(0x63A2, b"")
        is_compressed = is_compressed and not codec.startswith(_MATROSKA_PCM)
    return encoding, is_compressed
