"""AIFF and AIFF-C. Sources: Apple's "Audio Interchange File Format" 1.3 and AIFF-C's draft."""

import struct

from services.extractor.read.containers.chunks import (
    Chunk,
    Malformed,
    chunks_of,
    first,
    form_of,
    id3_tags,
)
from services.extractor.read.fast.parsed_file import StreamInfo
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.metadata import Container, Metadata, audio_properties
from services.extractor.tags.containers import chunks as texts
from services.extractor.tags.containers import id3

_PCM = frozenset((
    b"NONE", b"none", b"twos", b"sowt", b"raw ", b"in24", b"in32", b"fl32", b"FL32", b"fl64",
    b"FL64", b"23ni", b"42ni",
))  # fmt: skip
_CODECS = {
    b"ulaw": ("pcm_mulaw", 1, 1), b"ULAW": ("pcm_mulaw", 1, 1), b"alaw": ("pcm_alaw", 1, 1),
    b"ALAW": ("pcm_alaw", 1, 1), b"ima4": ("adpcm_ima_qt", 64, 34), b"GSM ": ("gsm", 160, 33),
    b"MAC3": ("mace3", 6, 2), b"MAC6": ("mace6", 6, 1), b"QDMC": ("qdmc", 1, 0),
    b"QDM2": ("qdm2", 1, 0), b"Qclp": ("qcelp", 160, 35), b"G722": ("adpcm_g722", 2, 1),
}  # fmt: skip
"""By compression type: the codec under FFmpeg's name, samples and bytes a packet of a channel."""


def parse(file: FileBytes, start: int) -> Metadata:
    """The AIFF that begins at an offset.

    Raises:
        Malformed: it is another IFF form, or does not say how its sound is encoded.
    """
    kind = file.read(start + 8, 4)
    if kind not in {b"AIFF", b"AIFC"}:
        raise Malformed("its IFF form is no AIFF")
    chunks = chunks_of(file, start, ">", b"SSND")
    info = _info(file, chunks, is_compressed=kind == b"AIFC")
    container = Container("aiff", info.codec, id3.raw_tags, id3.pictures)
    raw, pictures = id3_tags(file, chunks)
    tags = texts.texts(form_of(file, chunks, kind, ">"))
    audio = audio_properties(info, container, file.size)
    return Metadata({**tags, **raw}, audio, pictures, is_guess=False)


def _info(file: FileBytes, chunks: list[Chunk], *, is_compressed: bool) -> StreamInfo:
    common, sound = first(chunks, b"COMM"), first(chunks, b"SSND")
    block = file.read(common.start, min(common.size, 64)) if common else b""
    if len(block) < 18:
        raise Malformed("it does not say how its sound is encoded")
    channels, packets, bits = struct.unpack_from(">hIh", block)
    rate_hz = _extended(block[8:18])
    if rate_hz <= 0 or channels <= 0:
        raise Malformed("its sample rate is no number")
    kind = block[18:22] if is_compressed and len(block) >= 22 else b"NONE"
    codec, samples, packet_bytes = "pcm", 1, (max(bits, 0) + 7) // 8
    if kind not in _PCM:
        unknown = kind.decode("latin-1").strip().lower() or "pcm"
        codec, samples, packet_bytes = _CODECS.get(kind, (unknown, 1, 0))
    size = max(0, sound.size - 8) if sound else 0  # an offset and a block size come first
    if packet_bytes:
        there = size // (packet_bytes * channels)
        packets = there if packets == 0 else min(packets, there)
    info = StreamInfo(
        length=packets * samples / rate_hz,
        sample_rate=round(rate_hz),
        channels=channels,
        bits_per_sample=bits if codec == "pcm" else None,
        codec=codec,
    )
    if codec == "pcm":
        info.bitrate = round(channels * max(bits, 0) * rate_hz)
    elif info.length:
        info.bitrate = round(size * 8 / info.length)
    return info


def _extended(written: bytes) -> float:
    """A number of IEEE 754's 80 bits; 0 where it is none."""
    exponent, mantissa = struct.unpack(">HQ", written)
    if exponent & 0x8000 or (exponent & 0x7FFF) > 0x3FFF + 63:
        return 0.0
    return float(mantissa * 2.0 ** ((exponent & 0x7FFF) - 0x3FFF - 63))
