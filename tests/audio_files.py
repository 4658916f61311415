"""Small music files of each format: tones, and valid headers where no encoder is installed."""

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import soundfile
from mutagen.ogg import OggPage

RATE_HZ = 44_100
_BY_SOUNDFILE = {
    ".wav": ("WAV", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
_BY_AV = {
    ".m4a": "aac", ".m4b": "aac", ".alac.m4a": "alac", ".wma": "wmav2", ".wv": "wavpack",
    ".tta": "tta", ".mp2": "mp2", ".aac": "aac", ".ac3": "ac3", ".eac3": "eac3",
}  # fmt: skip
_KINDS = {".alac.m4a": "mp4", ".m4b": "mp4", ".aac": "adts"}


def tones_by_suffix(folder: Path, seconds: int = 1) -> dict[str, bytes]:
    """An untagged stereo file of each format, by suffix; some have valid headers and no sound.

    Args:
        folder: where they are written.
        seconds: of sound; the headers alone are of one second.
    """
    tone = _tone(seconds)
    for suffix, (kind, subtype) in _BY_SOUNDFILE.items():
        rate = 48_000 if suffix == ".opus" else RATE_HZ
        soundfile.write(folder / f"a{suffix}", tone, rate, format=kind, subtype=subtype)
    for suffix, codec in _BY_AV.items():
        _write_av(folder / f"a{suffix}", codec, tone)
    made = {suffix: (folder / f"a{suffix}").read_bytes() for suffix in (*_BY_SOUNDFILE, *_BY_AV)}
    return made | {suffix: make() for suffix, make in HEADERS.items()}


def _tone(seconds: int) -> np.ndarray:
    time_s = np.arange(seconds * RATE_HZ) / RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s)
    return np.stack([tone, tone], axis=1).astype(np.float32)


def _write_av(path: Path, codec: str, tone: np.ndarray) -> None:
    kind = _KINDS.get(path.name.removeprefix("a"))
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        stream.time_base = Fraction(1, RATE_HZ)
        stream.bit_rate = 128_000
        stream.codec_context.format = (stream.codec.audio_formats or [])[0]
        samples = (tone.T * 32_767).astype(np.int16)
        resampler = av.AudioResampler(stream.format, "stereo", RATE_HZ, stream.frame_size or 4_096)
        frame = av.AudioFrame.from_ndarray(
            samples.T.reshape(1, -1).copy(), format="s16", layout="stereo"
        )
        frame.sample_rate = RATE_HZ
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def dsf() -> bytes:
    """DSF, one second of DSD64. Source: Sony's "DSF File Format Specification"."""
    samples, rate_hz = 2_822_400, 2_822_400
    fmt = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, rate_hz, 1, samples, 4_096, 0)
    blocks = -(-samples // 8 // 4_096)
    sound = bytes(2 * 4_096 * blocks)
    data = b"data" + struct.pack("<Q", 12 + len(sound)) + sound
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(fmt) + len(data), 0) + fmt + data


def dsdiff() -> bytes:
    """DSDIFF, uncompressed. Source: Philips' "DSDIFF 1.5"."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + b"\0" * (len(content) % 2)

    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", 2_822_400))
    prop += chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT")
    prop += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", prop) + chunk(b"DSD ", bytes(705_600))
    return chunk(b"FRM8", b"DSD " + body)


def monkeys_audio() -> bytes:
    """Monkey's Audio 3.99."""
    header = struct.pack("<IIIHHI", 73_728, RATE_HZ, 1, 16, 2, RATE_HZ)
    return b"MAC " + struct.pack("<H", 3_990) + bytes(50) + header + bytes(2_000)


def musepack() -> bytes:
    """Musepack SV8. Source: its "SV8 Specification"."""

    def packet(name: bytes, content: bytes) -> bytes:
        return name + bytes([len(content) + 3]) + content

    samples = bytes([0x80 | RATE_HZ >> 14, 0x80 | RATE_HZ >> 7 & 0x7F, RATE_HZ & 0x7F])
    stream = bytes(4) + b"\x08" + samples + b"\0" + bytes([0, 0x10])
    return (
        b"MPCK" + packet(b"SH", stream) + packet(b"RG", b"\1" + bytes(8)) + b"AP\x04" + bytes(2_000)
    )


def tak() -> bytes:
    """TAK, one second. Source: the "TAK decoder SDK", metadata objects; bits come lowest first."""
    packed, position = 0, 0
    fields = ((0, 10), (0, 4), (RATE_HZ, 35), (0, 3), (RATE_HZ - 6_000, 18), (8, 5), (1, 4), (0, 1))
    for value, bits in fields:  # codec, frame, samples, type, rate, bits - 8, channels - 1
        packed |= value << position
        position += bits
    stream_info = packed.to_bytes(10, "little") + bytes(3)
    return b"tBaK\1" + struct.pack("<I", len(stream_info))[:3] + stream_info + bytes(2_000)


def optimfrog() -> bytes:
    """OptimFROG, one second of 16 bits."""
    header = struct.pack("<IHBBIH", RATE_HZ * 2, 0, 2, 1, RATE_HZ, 0)
    return b"OFR " + struct.pack("<I", 15) + header + bytes(2_000)


def speex() -> bytes:
    """Ogg Speex. Source: the Speex manual, "Ogg file format"."""
    header = b"Speex   " + b"1.2".ljust(20, b"\0")
    header += struct.pack("<13i", 1, 80, 16_000, 1, 4, 1, 27_800, 320, 0, 1, 0, 0, 0)
    return _ogg(16_000, header, _NO_COMMENTS, bytes(50))


def ogg_flac() -> bytes:
    """FLAC in Ogg. Source: RFC 9639, section 10.1."""
    packed = RATE_HZ << 44 | 1 << 41 | 15 << 36 | RATE_HZ  # rate, channels - 1, bits - 1, samples
    stream_info = struct.pack(">HH6xQ16x", 4_096, 4_096, packed)
    header = b"\x7fFLAC\1\0\0\1fLaC" + struct.pack(">I", 34) + stream_info
    comments = struct.pack(">I", 0x84 << 24 | len(_NO_COMMENTS)) + _NO_COMMENTS
    return _ogg(RATE_HZ, header, comments, bytes(50))


_NO_COMMENTS = struct.pack("<I", 4) + b"Test" + struct.pack("<I", 0)


def _ogg(samples: int, *packets: bytes) -> bytes:
    file = BytesIO()
    for number, packet in enumerate(packets):
        page = OggPage()
        page.serial, page.sequence, page.packets = 7, number, [packet]
        page.first, page.last = number == 0, number == len(packets) - 1
        page.position = samples if page.last else 0
        file.write(page.write())
    return file.getvalue()


HEADERS = {
    ".dsf": dsf,
    ".dff": dsdiff,
    ".ape": monkeys_audio,
    ".mpc": musepack,
    ".tak": tak,
    ".ofr": optimfrog,
    ".spx": speex,
    ".oga": ogg_flac,
}
"""The function that makes a file, by suffix."""
