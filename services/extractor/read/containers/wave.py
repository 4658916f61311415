"""WAV: RIFF, RIFX, and RF64 and BW64 of more than 4 GB.

Sources: Microsoft's "Multiple Channel Audio Data and WAVE Files" and "Multimedia Registration Kit";
EBU Tech 3306; ITU-R BS.2088.
"""

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

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_ADPCM = frozenset((0x02, 0x11))
_CODECS = {
    _PCM: "pcm", _FLOAT: "pcm", 0x02: "adpcm_ms", 0x06: "pcm_alaw", 0x07: "pcm_mulaw",
    0x11: "adpcm_ima_wav", 0x20: "adpcm_yamaha", 0x22: "truespeech", 0x31: "gsm_ms",
    0x45: "adpcm_g726", 0x50: "mp2", 0x55: "mp3", 0x57: "amr_nb", 0x58: "amr_wb",
    0x64: "adpcm_g726", 0x65: "adpcm_g722", 0xFF: "aac", 0x160: "wma", 0x161: "wma",
    0x162: "wma", 0x163: "wma", 0x270: "atrac3", 0x1600: "aac", 0x1602: "aac", 0x1610: "aac",
    0x2000: "ac3", 0x2001: "dts",
    0x2048: "sonic", 0x28F: "adpcm_g722", 0x566F: "vorbis", 0x674F: "vorbis", 0x6750: "vorbis",
    0x6751: "vorbis", 0x676F: "vorbis", 0x6770: "vorbis", 0x6771: "vorbis", 0x704F: "opus",
    0x706D: "aac", 0xA106: "aac", 0xA109: "speex", 0xF1AC: "flac",
}  # fmt: skip
"""By format tag, under FFmpeg's names where they differ from the usual ones."""
_FAR = 4
"""A `fact` chunk that differs by this factor from the sound's bytes was never filled in."""


def parse(file: FileBytes, start: int) -> Metadata:
    """The WAV that begins at an offset.

    Raises:
        Malformed: it is another RIFF form, or does not say how its sound is encoded.
    """
    form, kind = file.read(start, 4), file.read(start + 8, 4)
    if kind != b"WAVE":
        raise Malformed("its RIFF form is no WAVE")
    order = ">" if form == b"RIFX" else "<"
    chunks = chunks_of(file, start, order, b"data")
    info = _info(file, chunks, order)
    container = Container("wav", info.codec, id3.raw_tags, id3.pictures)
    raw, pictures = id3_tags(file, chunks)
    tags = texts.info(form_of(file, chunks, kind, order)) if order == "<" else {}
    audio = audio_properties(info, container, file.size)
    return Metadata({**tags, **raw}, audio, pictures, is_guess=False)


def _info(file: FileBytes, chunks: list[Chunk], order: str) -> StreamInfo:
    fmt, data = first(chunks, b"fmt "), first(chunks, b"data")
    block = file.read(fmt.start, min(fmt.size, 64)) if fmt else b""
    if len(block) < 16:
        raise Malformed("it does not say how its sound is encoded")
    tag, channels, rate_hz, byte_rate, block_bytes, bits = struct.unpack_from(
        f"{order}HHIIHH", block
    )
    if tag == _EXTENSIBLE and len(block) >= 26:
        (tag,) = struct.unpack_from(f"{order}H", block, 24)  # the sub-format's GUID begins with it
    is_pcm = tag in {_PCM, _FLOAT}
    info = StreamInfo(
        codec=_CODECS.get(tag) or f"0x{tag:04x}",
        sample_rate=rate_hz,
        channels=channels,
        bits_per_sample=bits if is_pcm else None,
    )
    size = data.size if data else 0
    if is_pcm:
        frame_bytes = channels * ((bits + 7) // 8) or block_bytes
        info.bitrate = channels * bits * rate_hz
        if frame_bytes and rate_hz:
            info.length = size // frame_bytes / rate_hz
        return info
    info.bitrate = byte_rate * 8
    frames = size * rate_hz / byte_rate if byte_rate else 0.0
    if tag in _ADPCM and len(block) >= 20 and block_bytes:
        (frames_a_block,) = struct.unpack_from(f"{order}H", block, 18)
        frames = size / block_bytes * frames_a_block or frames
    fact = first(chunks, b"fact")
    if fact and fact.size >= 4:
        (written,) = struct.unpack(f"{order}I", file.read(fact.start, 4))
        # Of blocks the last one may be filled up: only then the fact is shorter.
        if not frames or frames / _FAR < written <= frames * (1.01 if tag in _ADPCM else _FAR):
            frames = written
    info.length = frames / rate_hz if rate_hz else 0.0
    return info
