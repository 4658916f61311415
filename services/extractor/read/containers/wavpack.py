"""WavPack's blocks. Source: "WavPack 4 & 5 Binary File / Block Format"."""

from struct import Struct

from services.extractor.read.containers.chunks import Malformed
from services.extractor.read.fast.parsed_file import StreamInfo
from services.extractor.read.file_bytes import FileBytes

_HEADER = Struct("<4sIHBBIIIII")
_RATES_HZ = (
    6_000, 8_000, 9_600, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000,
    88_200, 96_000, 192_000,
)  # fmt: skip
_OWN_RATE = 15
_MONO, _DSD = 1 << 2, 1 << 31
_CHANNELS, _DSD_SOUND, _RATE = 0x0D, 0x0E, 0x27  # sub-blocks
_UNKNOWN = 0xFFFFFFFF
_TAIL_BYTES = 2**18
"""The last block begins in it: blocks hold half a second."""


def read_info(file: FileBytes, start: int) -> StreamInfo:
    """The audio properties of the stream that begins at an offset.

    Raises:
        Malformed: no block begins there.
    """
    header = file.read(start, _HEADER.size)
    if len(header) < _HEADER.size or header[:4] != b"wvpk":
        raise Malformed("no WavPack block was found in it")
    _, size, _, index_high, total_high, total, index, samples, flags, _ = _HEADER.unpack(header)
    parts = _sub_blocks(file.read(start + _HEADER.size, min(size - 24, 2**16)))
    rate = flags >> 23 & 15
    rate_hz = (
        _RATES_HZ[rate]
        if rate != _OWN_RATE
        else int.from_bytes(parts.get(_RATE, b"")[:3], "little")
    )
    bits = ((flags & 3) + 1) * 8 - (flags >> 13 & 31)
    frame_rate_hz = rate_hz
    if flags & _DSD:
        shift = parts.get(_DSD_SOUND, b"\0")[:1] or b"\0"
        frame_rate_hz = rate_hz << min(shift[0], 8)  # a frame is a byte of DSD of each channel
        rate_hz, bits = frame_rate_hz * 8, 1
    begin = index | index_high << 32
    length = None if total == _UNKNOWN else (total | total_high << 32) - total_high
    heard = _end_of_last_block(file, start) - begin
    if heard > 0 and (length is None or heard < length):
        length = heard
    return StreamInfo(
        length=(samples if length is None else length) / frame_rate_hz if frame_rate_hz else 0.0,
        sample_rate=rate_hz,
        channels=_channels(parts.get(_CHANNELS, b""), 1 if flags & _MONO else 2),
        bits_per_sample=bits,
    )


def _channels(part: bytes, of_block: int) -> int:
    """Those of the stream: a block holds one or two of them."""
    if len(part) >= 6:
        return (part[0] | (part[2] & 15) << 8) + 1
    return part[0] if part and part[0] else of_block


def _sub_blocks(block: bytes) -> dict[int, bytes]:
    """The sub-blocks by number: sizes count words of two bytes."""
    parts: dict[int, bytes] = {}
    offset = 0
    while offset + 2 <= len(block):
        kind, words = block[offset], block[offset + 1]
        offset += 2
        if kind & 0x80:  # a large one has three bytes of size
            words |= int.from_bytes(block[offset : offset + 2], "little") << 8
            offset += 2
        content = block[offset : offset + words * 2 - (kind >> 6 & 1)]
        parts.setdefault(kind & 0x3F, content)
        offset += words * 2
    return parts


def _end_of_last_block(file: FileBytes, start: int) -> int:
    """The number of the frame after the last whole block; 0 where none is found."""
    begin = max(start, file.size - _TAIL_BYTES)
    tail = file.read(begin, file.size - begin)
    found = len(tail)
    while (found := tail.rfind(b"wvpk", 0, found)) >= 0:
        header = tail[found : found + _HEADER.size]
        if len(header) == _HEADER.size:
            _, size, version, high, _, _, index, samples, _, _ = _HEADER.unpack(header)
            is_whole = found + size + 8 <= len(tail)
            if is_whole and samples and 0x402 <= version <= 0x410:
                return int(index | high << 32) + int(samples)
    return 0
