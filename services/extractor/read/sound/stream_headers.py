"""What the headers of AC-3, ADTS and TTA say, where mutagen reads them wrongly or not at all.

Sources: ETSI TS 102 366, section 4.3; ISO/IEC 14496-3, sections 1.A.3, 4.4.1.1 and 4.4.2.7; the
"TTA1 Format".
"""

from typing import NamedTuple

from services.extractor.read.file_bytes import FileBytes

_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)  # by the audio coding mode, without the LFE
_NEWEST_AC3 = 10
_BLOCK_BYTES = 2**20
_MOST_BYTES = 2**29
_LONGEST_ADTS_BYTES = 2**13
_RATES_HZ = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
_HIGHEST_RATE_WITH_SBR_HZ = 24_000
_LOOKED_AT_FRAMES = 24
_DESCRIPTION, _FILL, _END = 5, 6, 7
_SBR_KINDS = frozenset((0b1101, 0b1110))


def ac3_channels(file: FileBytes, start: int) -> int | None:
    """The channels of AC-3, with its LFE; None where the header is another (E-AC-3)."""
    head = file.read(start, 8)
    if len(head) < 8 or head[:2] != b"\x0b\x77" or head[5] >> 3 > _NEWEST_AC3:
        return None
    mode = head[6] >> 5
    # Mix levels stand before the LFE's bit: the modes differ in which they have.
    skipped = 3 + 2 * (mode & 1 and mode != 1) + 2 * (mode >> 2) + 2 * (mode == 2)
    bits = int.from_bytes(head[6:8], "big")
    return _AC3_CHANNELS[mode] + (bits >> (15 - skipped) & 1)


class TtaHeader(NamedTuple):
    """Channels and bits of a sample."""

    channels: int
    bits: int


def tta(file: FileBytes, start: int) -> TtaHeader | None:
    """The header of TTA1; None where it is another."""
    head = file.read(start, 10)
    if len(head) < 10 or head[:4] != b"TTA1":
        return None
    return TtaHeader(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))


class AdtsStream(NamedTuple):
    """An ADTS stream.

    Attributes:
        length_s: of all frames.
        sound_bytes: of all frames.
        rate_hz: that decoders give.
        channels: of the first frame's own description; None where the header tells them.
    """

    length_s: float
    sound_bytes: int
    rate_hz: int
    channels: int | None


def adts(file: FileBytes, start: int) -> AdtsStream | None:
    """Count the frames of ADTS from an offset on; None where none is there, or too many."""
    if file.size > _MOST_BYTES:
        return None
    offset, blocks, sound_bytes, rate = start, 0, 0, 15
    frames: list[bytes] = []
    while offset < file.size:
        content = file.read(offset, _BLOCK_BYTES)
        is_last = offset + len(content) >= file.size
        limit = len(content) - (6 if is_last else _LONGEST_ADTS_BYTES)
        place = 0
        while place < limit:
            size = _adts_bytes(content, place)
            if not size or place + size > len(content):
                place = content.find(b"\xff", place + 1)
                if place < 0 or (is_last and size):
                    place = len(content)
                continue
            if rate > 12:
                rate = content[place + 2] >> 2 & 15
            if len(frames) < _LOOKED_AT_FRAMES:
                frames.append(content[place : place + size])
            blocks += (content[place + 6] & 3) + 1
            sound_bytes += size
            place += size
        if is_last:
            break
        offset += max(place, 1)
    if not blocks or rate > 12:
        return None
    rate_hz = _RATES_HZ[rate]
    length_s = blocks * 1_024 / rate_hz
    is_doubled = rate_hz <= _HIGHEST_RATE_WITH_SBR_HZ and _has_sbr(frames[1:] or frames)
    channels = _described_channels(frames[0])
    return AdtsStream(length_s, sound_bytes, rate_hz * 2 if is_doubled else rate_hz, channels)


def _described_channels(frame: bytes) -> int | None:
    """The channels of a frame's program description, which layouts without a number have."""
    configuration = (frame[2] & 1) << 2 | frame[3] >> 6
    start = 7 if frame[1] & 1 else 9  # with a checksum
    bits = "".join(f"{byte:08b}" for byte in frame[start : start + 60])
    if configuration or not bits.startswith(f"{_DESCRIPTION:03b}"):
        return None
    offset = 3 + 4 + 2 + 4  # the element's kind, its number, profile and rate
    counts = [int(bits[offset + at : offset + at + 4], 2) for at in (0, 4, 8)]
    low_frequency = int(bits[offset + 12 : offset + 14], 2)
    offset += 14 + 3 + 4
    for width in (4, 4, 3):  # how to mix them down: mono, stereo, a matrix
        offset += 1 + width * (bits[offset] == "1")
    pairs = sum(bits[offset + 5 * number] == "1" for number in range(sum(counts)))
    return sum(counts) + pairs + low_frequency or None


def _adts_bytes(content: bytes, place: int) -> int:
    """The length of the frame at a place; 0 where there is none."""
    if content[place] != 0xFF or content[place + 1] & 0xF6 != 0xF0:
        return 0
    size = (content[place + 3] & 3) << 11 | content[place + 4] << 3 | content[place + 5] >> 5
    return size if size > 7 else 0


def _has_sbr(frames: list[bytes]) -> bool:
    """Whether the frames end in a fill element with spectral band replication.

    The header is silent about it, and the elements before can only be decoded. One frame in ten
    looks so by chance, those of a stream with SBR nearly all do.
    """
    found = sum(map(_ends_in_sbr, frames))
    return bool(frames) and found > len(frames) / 2


def _ends_in_sbr(frame: bytes) -> bool:
    tail = frame[7:][-290:]
    bits = int.from_bytes(tail, "big")
    total = len(tail) * 8
    padding = (bits & -bits).bit_length() - 1 if bits else total
    # The end is marked by three ones, and filled up with zeros to the byte.
    if padding > 7 or bits >> padding & 7 != _END:
        return False
    end = padding + 3
    for size in range(1, 270):
        begin = end + size * 8  # of the content, counted from the last bit
        wide = size >= 15
        if begin + (15 if wide else 7) > total:
            break
        if bits >> (begin - 4) & 15 not in _SBR_KINDS:
            continue
        if wide:
            head = bits >> begin & 0x7FFF
            matches = head == _FILL << 12 | 15 << 8 | size - 14
        else:
            matches = bits >> begin & 0x7F == _FILL << 4 | size
        if matches:
            return True
    return False
