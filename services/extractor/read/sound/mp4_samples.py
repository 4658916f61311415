"""MP4's tables of samples, where the file is shorter than they say, and its AAC configuration.

Sources: ISO/IEC 14496-12, section 8; ISO/IEC 14496-3, section 1.6.
"""

import struct
from collections.abc import Iterator

from services.extractor.read.file_bytes import FileBytes

_CONTAINERS = frozenset((b"trak", b"mdia", b"minf", b"stbl"))
_MOST_ATOMS = 10_000
_MOST_FRAGMENTS = 200_000
_MOST_MOVIE_BYTES = 2**26
_MOST_HEADER_BYTES = 4_096
_DEEPEST = 6
_LOW_COMPLEXITY = 2
_LOWEST_RATE_WITHOUT_SBR = 5  # the index of 32 kHz
_SYNC_EXTENSION = 0x2B7


def atoms(block: bytes, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, and begin and end of the content of the atoms in a part of a block."""
    for _ in range(_MOST_ATOMS):
        if offset + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", block, offset)
        start = offset + 8
        if size == 1 and start + 8 <= end:
            (size,) = struct.unpack_from(">Q", block, start)
            start += 8
        after = end if size == 0 else min(offset + size, end)
        if after < start:
            return
        yield name, start, after
        offset = after


def top_atoms(file: FileBytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, and begin and end of the content of the atoms of a file; the last one may be cut."""
    offset = start
    for _ in range(_MOST_FRAGMENTS):
        header = file.read(offset, 16)
        if len(header) < 8:
            return
        size, name = struct.unpack_from(">I4s", header)
        begin = offset + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            begin += 8
        end = offset + size if size else file.size
        if end < begin:
            return
        yield name, begin, end
        offset = end


def movie_of(file: FileBytes, start: int) -> tuple[bytes, bool]:
    """The content of the `moov` atom, and whether an atom ends behind the file's end."""
    movie, last = b"", 0
    for name, begin, end in top_atoms(file, start):
        last = end
        if name == b"moov" and not movie and end - begin <= _MOST_MOVIE_BYTES:
            movie = file.read(begin, end - begin)
        if name == b"moof":
            break  # fragments: `length_of_fragments` goes through them
    return movie, last > file.size


def length_of_fragments(
    file: FileBytes, start: int, movie: bytes, track: dict[bytes, bytes]
) -> float | None:
    """The seconds of a track's fragments, which follow a movie without samples."""
    units_a_second, number = time_scale(track), track_number(track)
    default = 0
    for name, begin, after in atoms(movie, 0, len(movie)):
        if name == b"mvex":
            for _, at, _ in atoms(movie, begin, after):
                if movie[at + 4 : at + 8] == number:  # trex
                    (default,) = struct.unpack_from(">I", movie, at + 12)
    units = 0
    for name, begin, end in top_atoms(file, start):
        if name == b"moof" and end - begin <= _MOST_MOVIE_BYTES:
            block = file.read(begin, end - begin)
            for child, at, after in atoms(block, 0, len(block)):
                if child == b"traf":
                    units += _units_of_fragment(block, at, after, number, default)
    return units / units_a_second if units_a_second else None


def _units_of_fragment(block: bytes, start: int, end: int, number: bytes, default: int) -> int:
    units = 0
    for name, at, after in atoms(block, start, end):
        flags = int.from_bytes(block[at + 1 : at + 4], "big")
        if name == b"tfhd":
            if block[at + 4 : at + 8] != number:
                return 0
            if flags & 8:  # an own duration, behind an offset and a description's number
                place = at + 8 + 8 * (flags & 1) + 4 * (flags >> 1 & 1)
                (default,) = struct.unpack_from(">I", block, place)
        elif name == b"trun":
            (samples,) = struct.unpack_from(">I", block, at + 4)
            if not flags & 0x100:
                units += samples * default
                continue
            place = at + 8 + 4 * (flags & 1) + 4 * (flags >> 2 & 1)
            width = 4 * (flags >> 8 & 15).bit_count()
            for _ in range(min(samples, (after - place) // width)):
                units += int.from_bytes(block[place : place + 4], "big")
                place += width
    return units


def track_number(track: dict[bytes, bytes]) -> bytes:
    """The id of a track, as four bytes."""
    header = track.get(b"tkhd", b"")
    return header[20:24] if header[:1] == b"\1" else header[12:16]


def time_scale(track: dict[bytes, bytes]) -> int:
    """Units a second of a track's times."""
    header = track.get(b"mdhd", b"")
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def sound_track(movie: bytes) -> dict[bytes, bytes]:
    """The atoms of the first track of sound, without those that hold others, by name."""
    sound = (track for track in tracks_of(movie) if track.get(b"hdlr", b"")[8:12] == b"soun")
    return next(sound, {})


def tracks_of(movie: bytes) -> Iterator[dict[bytes, bytes]]:
    """The same of all tracks."""
    for name, start, end in atoms(movie, 0, len(movie)):
        if name == b"trak":
            yield dict(_leaves(movie, start, end, 0))


def _leaves(block: bytes, start: int, end: int, depth: int) -> Iterator[tuple[bytes, bytes]]:
    for name, begin, after in atoms(block, start, end):
        if name in _CONTAINERS and depth < _DEEPEST:
            yield from _leaves(block, begin, after, depth + 1)
        else:
            yield name, block[begin:after]


def length_within(track: dict[bytes, bytes], size_bytes: int) -> float | None:
    """The seconds of a track whose samples are within a file of this size; None if not known."""
    units_a_second = time_scale(track)
    count = _samples_within(track, size_bytes)
    if count is None or not units_a_second:
        return None
    units = 0
    times = track.get(b"stts", b"")
    (entries,) = struct.unpack_from(">I", times, 4)
    for entry in range(min(entries, (len(times) - 8) // 8)):
        samples, duration = struct.unpack_from(">II", times, 8 + entry * 8)
        units += min(samples, count) * duration
        count -= min(samples, count)
        if not count:
            break
    return units / units_a_second


def _samples_within(track: dict[bytes, bytes], size_bytes: int) -> int | None:
    if not _has_samples(track):
        return None
    count = 0
    for offset, size in sample_places(track):
        if offset + size > size_bytes:
            break
        count += 1
    return count


def _has_samples(track: dict[bytes, bytes]) -> bool:
    is_sized = len(track.get(b"stsz", b"")) >= 12 and len(track.get(b"stsc", b"")) >= 20
    return is_sized and bool(_chunk_offsets(track))


def sample_places(track: dict[bytes, bytes]) -> Iterator[tuple[int, int]]:
    """Offset and size in the file of the samples of a track, in order; none without its tables."""
    if not _has_samples(track):
        return
    sizes, runs = track[b"stsz"], track[b"stsc"]
    fixed, total = struct.unpack_from(">II", sizes, 4)
    table = memoryview(sizes)[12 : 12 + len(sizes[12:]) // 4 * 4]
    # Each run: the number of its first chunk, from 1, and the samples of each of its chunks.
    firsts = [struct.unpack_from(">II", runs, at) for at in range(8, len(runs) - 11, 12)]
    count = run = 0
    for number, offset in enumerate(_chunk_offsets(track), start=1):
        while run + 1 < len(firsts) and firsts[run + 1][0] <= number:
            run += 1
        place = offset
        for _ in range(min(firsts[run][1], total - count)):
            at = count * 4
            if not fixed and at >= len(table):
                return
            size = fixed or int.from_bytes(table[at : at + 4], "big")
            yield place, size
            place += size
            count += 1


def _chunk_offsets(track: dict[bytes, bytes]) -> list[int]:
    name, kind = (b"stco", "I") if b"stco" in track else (b"co64", "Q")
    content = track.get(name, b"")[8:]
    width = struct.calcsize(kind)
    return list(
        struct.unpack(f">{len(content) // width}{kind}", content[: len(content) // width * width])
    )


def is_mono_aac(track: dict[bytes, bytes]) -> bool:
    """Whether the configuration is AAC LC of one channel that cannot become two.

    Parametric stereo makes two of one, but only on top of spectral band replication, which is not
    used above 24 kHz. The sample description says 2 for mono too, in most files.
    """
    description = track.get(b"stsd", b"")
    found = description.find(b"esds")
    if found < 0:
        return False
    config = _specific_config(description[found + 8 :])
    if len(config) < 2:
        return False
    fields = int.from_bytes(config[:2], "big")
    kind, rate, channels = fields >> 11, fields >> 7 & 15, fields >> 3 & 15
    if kind != _LOW_COMPLEXITY or channels != 1 or rate > 12:
        return False
    extension = int.from_bytes(config[2:5].ljust(3, b"\0"), "big")
    says_no_sbr = extension >> 13 == _SYNC_EXTENSION and not extension >> 7 & 1
    return rate <= _LOWEST_RATE_WITHOUT_SBR or says_no_sbr


def _specific_config(block: bytes) -> bytes:
    """The content of the descriptor 5, which lies in 4, which lies in 3."""
    for tag, fields in ((3, 3), (4, 13), (5, 0)):
        if not block or block[0] != tag:
            return b""
        offset = 1
        while offset < min(5, len(block)) and block[offset] & 0x80:
            offset += 1
        length = block[offset] & 0x7F if offset < len(block) else 0
        block = block[offset + 1 :]
        block = block[fields:] if fields else block[:length]
    return block


def track_headers(file: FileBytes, offset: int, end: int) -> Iterator[bytes]:
    """The first 4 KB of each track of sound in a movie: its tables come later, and may be long."""
    for _ in range(_MOST_ATOMS):
        size, name = struct.unpack(">I4s", file.read(offset, 8).ljust(8, b"\0"))
        if size < 8 or offset >= end:
            return
        if name == b"trak":
            track = file.read(offset, min(size, _MOST_HEADER_BYTES))
            if b"hdlr" in track and b"soun" in track:
                yield track
        offset += size


def sample_entry(track: bytes) -> bytes:
    """The first entry of a track's sample description: its size, the codec, and the rest."""
    at = track.find(b"stsd") + 12
    (size,) = struct.unpack_from(">I", track.ljust(at + 4, b"\0"), at)
    return track[at : at + size] if at >= 12 else b""


def alac_samples_bytes(track: bytes, entry: bytes) -> float:
    """The bytes of a track's samples before ALAC; 0 for another codec."""
    times, cookie = track.find(b"mdhd") + 4, entry.find(b"alac", 8) + 8
    if entry[4:8] != b"alac" or times < 4 or cookie < 8 or len(entry) < cookie + 24:
        return 0.0
    wide = track[times] == 1
    scale, units = struct.unpack_from(">IQ" if wide else ">II", track, times + (20 if wide else 12))
    (rate_hz,) = struct.unpack_from(">I", entry, cookie + 20)
    return units / scale * rate_hz * entry[cookie + 5] * entry[cookie + 9] / 8 if scale else 0.0
