"""One sound in every container and coding that an installed encoder writes, and in DSD.

The others (Monkey's Audio, Musepack, TAK, OptimFROG, Speex) have no encoder on PyPI:
`tests/audio_files.py` makes their headers.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ = 44_100
DSD64_HZ = 2_822_400
_DSF_BLOCK_BYTES = 4_096
_WMA_BITS_PER_S = 128_000
Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Coding:
    """How a file is written.

    Attributes:
        suffix: the ending of its name.
        codec: FFmpeg's name of the encoder; "vorbis" is libsndfile's, "dsd" our own.
        muxer: FFmpeg's name of the container where the suffix does not say it.
        rate_hz: the sample rate.
        options: of the muxer.
    """

    suffix: str
    codec: str
    muxer: str | None = None
    rate_hz: int = RATE_HZ
    options: Mapping[str, str] = field(default_factory=dict)


CODINGS = {
    "WAV": Coding("wav", "pcm_s16le"),
    "WAV, 24 bits": Coding("wav", "pcm_s24le"),
    "WAV, float": Coding("wav", "pcm_f32le"),
    "WAV, IMA ADPCM": Coding("wav", "adpcm_ima_wav"),
    "WAV, MS ADPCM": Coding("wav", "adpcm_ms"),
    "WAV, mu-law": Coding("wav", "pcm_mulaw"),
    "RF64": Coding("wav", "pcm_s16le", options={"rf64": "always"}),
    "AIFF": Coding("aiff", "pcm_s16be"),
    "AIFF-C, little endian": Coding("aifc", "pcm_s16le", "aiff"),
    "FLAC": Coding("flac", "flac"),
    "Ogg FLAC": Coding("oga", "flac", "ogg"),
    "Vorbis": Coding("ogg", "vorbis"),
    "Opus": Coding("opus", "libopus", rate_hz=48_000),
    "MP3": Coding("mp3", "libmp3lame"),
    "MP2": Coding("mp2", "mp2"),
    "ADTS": Coding("aac", "aac", "adts"),
    "M4A, AAC": Coding("m4a", "aac", "ipod"),
    "M4A, ALAC": Coding("m4a", "alac", "ipod"),
    "MP4, FLAC": Coding("mp4", "flac"),
    "MP4, fragmented": Coding(
        "mp4", "aac", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    ),
    "AC-3": Coding("ac3", "ac3"),
    "E-AC-3": Coding("eac3", "eac3"),
    "WMA 1": Coding("wma", "wmav1", "asf"),
    "WMA 2": Coding("wma", "wmav2", "asf"),
    "WavPack": Coding("wv", "wavpack"),
    "TTA": Coding("tta", "tta"),
    "Matroska, FLAC": Coding("mka", "flac", "matroska"),
    "Matroska, AAC": Coding("mka", "aac", "matroska"),
    "Matroska, MP3": Coding("mka", "libmp3lame", "matroska"),
    "Matroska, PCM": Coding("mka", "pcm_s16le", "matroska"),
    "WebM": Coding("webm", "libopus", rate_hz=48_000),
    "DSF": Coding("dsf", "dsd"),
    "DSDIFF": Coding("dff", "dsd"),
}


def encode_all(folder: Path, sound: Sound, sound_48k: Sound) -> dict[str, Path]:
    """Write a file of each coding: `sound` at 44.1 kHz, `sound_48k` at 48 kHz, (n, channels)."""
    made = {}
    for number, (name, coding) in enumerate(CODINGS.items()):
        made[name] = folder / f"{number:02d} {name.replace(' ', '_')}.{coding.suffix}"
        encode_as(coding, made[name], sound if coding.rate_hz == RATE_HZ else sound_48k)
    return made


def encode_as(coding: Coding, path: Path, sound: Sound) -> bytes:
    """Write a sound, (n, 2), and return the bytes of the file."""
    if coding.codec == "dsd":
        bits = sigma_delta(np.repeat(sound[:, 0], DSD64_HZ // coding.rate_hz).astype(float))
        path.write_bytes(dsf(bits) if coding.suffix == "dsf" else dsdiff(bits))
        return path.read_bytes()
    return encode(
        path, coding.codec, sound, rate_hz=coding.rate_hz,
        container=coding.muxer, muxer=coding.options,
    )  # fmt: skip


def encode(
    path: Path, codec: str, sound: Sound, layout: str = "stereo", *, rate_hz: int = RATE_HZ,
    container: str | None = None, muxer: Mapping[str, str] = {}, encoder: Mapping[str, str] = {},
) -> bytes:  # fmt: skip
    """Encode a sound, (n,) for all channels or (n, channels), and return the bytes of the file."""
    channels = av.AudioLayout(layout).nb_channels
    if sound.ndim == 1:
        sound = np.repeat(sound[:, None], channels, axis=1)
    if codec == "vorbis":
        # In blocks: libsndfile's Vorbis encoder overflows its stack with a long piece at once.
        with soundfile.SoundFile(path, "w", rate_hz, channels, "VORBIS", format="OGG") as file:
            for start in range(0, len(sound), 4_096):
                file.write(sound[start : start + 4_096])
        return path.read_bytes()
    with av.open(str(path), "w", format=container, options=dict(muxer)) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout, options=dict(encoder))
        assert isinstance(stream, av.AudioStream)
        if codec.startswith("wma"):  # it takes none of its own
            stream.bit_rate = _WMA_BITS_PER_S
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate_hz,
            frame_size=stream.codec_context.frame_size or 4_096,
        )  # fmt: skip
        samples = np.ascontiguousarray(sound, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        frame.time_base = stream.time_base = Fraction(1, rate_hz)
        for each in [*resampler.resample(frame), *resampler.resample(None), None]:
            # FLAC's last packet is empty but for a new header, and has no time: Matroska and MP4
            # refuse it.
            output.mux(
                [
                    packet
                    for packet in stream.encode(each)
                    if packet.dts is not None or output.format.name == "flac"
                ]
            )
    return path.read_bytes()


def sigma_delta(sound: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The bits of a modulator of the second order, whose noise rises above the audible range."""
    first = second = 0.0
    bit = 1.0
    bits = np.empty(len(sound), np.bool_)
    for number, value in enumerate(sound.tolist()):
        first += value - bit
        second += first - bit
        bit = 1.0 if second >= 0 else -1.0
        bits[number] = second >= 0
    return bits


def dsf(bits: NDArray[np.bool_], *, samples: int | None = None) -> bytes:
    """DSF with these bits in both channels, and `samples` in its header.

    Source: Sony's "DSF File Format Specification".
    """
    packed = np.packbits(bits, bitorder="little").tobytes()
    packed += b"\x69" * (-len(packed) % _DSF_BLOCK_BYTES)
    starts = range(0, len(packed), _DSF_BLOCK_BYTES)
    data = b"".join(packed[start : start + _DSF_BLOCK_BYTES] * 2 for start in starts)
    count = len(bits) if samples is None else samples
    fmt = b"fmt " + struct.pack(
        "<QIIIIIIQII", 52, 1, 0, 2, 2, DSD64_HZ, 1, count, _DSF_BLOCK_BYTES, 0
    )
    size = 28 + len(fmt) + 12 + len(data)
    head = b"DSD " + struct.pack("<QQQ", 28, size, 0)
    return head + fmt + b"data" + struct.pack("<Q", 12 + len(data)) + data


def dsdiff(bits: NDArray[np.bool_]) -> bytes:
    """DSDIFF with these bits in both channels. Source: Philips' "DSDIFF 1.5"."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + b"\0" * (len(content) % 2)

    packed = np.packbits(bits)
    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", DSD64_HZ))
    prop += chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT")
    prop += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    sound = np.repeat(packed, 2).tobytes()
    return chunk(
        b"FRM8",
        b"DSD " + chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", prop) + chunk(b"DSD ", sound),
    )
