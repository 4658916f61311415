"""Files of one format and length that are alike at their beginning, middle and end."""

import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from io import BytesIO
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from tests.unit.services.extractor import odd_files as odd

RATE_HZ = 48_000
_LENGTH_S = 12
_AT_S, _BURST_S = 3, 1.5
Samples = NDArray[np.int16]
"""Frames by channels."""


def quiet(*bursts_hz: float, channels: int = 2, length_s: float = _LENGTH_S) -> Samples:
    """Silence, but for a tone in each of the gaps between the beginning, the middle and the end."""
    samples = np.zeros((round(RATE_HZ * length_s), channels), np.int16)
    return _with_tones(samples, bursts_hz)


def noisy(*bursts_hz: float) -> Samples:
    """The same with noise of full scale instead of silence, which no codec makes smaller."""
    chance = np.random.default_rng(1)
    samples = chance.integers(-32_768, 32_768, (RATE_HZ * _LENGTH_S, 2), np.int16)
    for hz in bursts_hz:  # another noise, since a tone would make the file shorter
        at = RATE_HZ * _AT_S
        samples[at : at + RATE_HZ] = np.random.default_rng(int(hz)).integers(
            -32_768, 32_768, (RATE_HZ, 2), np.int16
        )
    return samples


def _with_tones(samples: Samples, bursts_hz: tuple[float, ...]) -> Samples:
    time_s = np.arange(round(RATE_HZ * _BURST_S)) / RATE_HZ
    for number, hz in enumerate(bursts_hz):
        at = round(RATE_HZ * (_AT_S + number * _LENGTH_S / 2))
        tone = np.rint(12_000 * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)
        samples[at : at + len(tone)] = tone[:, None]
    return samples


def encode(
    samples: Samples, kind: str, codec: str, bit_rate: int = 0, *,
    options: Mapping[str, str] | None = None, title: str = "",
) -> bytes:  # fmt: skip
    """The samples in a container and codec of FFmpeg's."""
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    file = BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(
            codec, rate=RATE_HZ, layout=layout, options=dict(options or {})
        )
        assert isinstance(stream, av.AudioStream)
        container.metadata.update({"title": title} if title else {})
        stream.time_base = Fraction(1, RATE_HZ)
        stream.bit_rate = bit_rate
        formats = stream.codec.audio_formats or []
        of_16_bits = [one for one in formats if one.name.startswith("s16")]
        stream.codec_context.format = [*of_16_bits, *formats][0]
        resampler = av.AudioResampler(stream.format, layout, RATE_HZ, stream.frame_size or 4_096)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate = RATE_HZ
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


def dsf(sound: bytes, *, rate_hz: int = 2_822_400) -> bytes:
    """DSF of two channels. Source: Sony's "DSF File Format Specification"."""
    samples = len(sound) * 4
    fmt = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, rate_hz, 1, samples, 4_096, 0)
    data = struct.pack("<4sQ", b"data", 12 + len(sound)) + sound
    return struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(fmt) + len(data), 0) + fmt + data


def dsdiff(sound: bytes, *, rate_hz: int = 2_822_400) -> bytes:
    """DSDIFF of two channels. Source: Philips' "DSDIFF 1.5"."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + b"\0" * (len(content) % 2)

    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", rate_hz))
    prop += chunk(b"CHNL", b"\0\2SLFTSRGT") + chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", prop) + chunk(b"DSD ", sound)
    return chunk(b"FRM8", b"DSD " + body)


def _pcm(samples: Samples) -> bytes:
    return samples.astype("<i2").tobytes()


def _big(samples: Samples) -> bytes:
    return samples.astype(">i2").tobytes()


def wave(samples: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """WAV of 16 bits."""
    return odd.wave(_pcm(samples), odd.wave_format(channels=samples.shape[1], rate_hz=rate_hz))


def _rf64(samples: Samples) -> bytes:
    fmt = odd.wave_format(channels=samples.shape[1], rate_hz=RATE_HZ)
    before = odd.ds64(samples.nbytes)
    return odd.wave(_pcm(samples), fmt, form=b"RF64", size=0xFFFFFFFF, before=before)


def _aiff(samples: Samples, kind: bytes | None = None) -> bytes:
    sound = _pcm(samples) if kind == b"sowt" else _big(samples)
    return odd.aiff(sound, frames=len(samples), channels=samples.shape[1], kind=kind)


def _dsd_of(samples: Samples) -> bytes:
    """Bytes in which silence is the usual pattern of DSD."""
    return (samples.astype(np.uint16) & 0xFF ^ 0x69).astype(np.uint8).tobytes()


class Format(NamedTuple):
    """A format by its ending, and what writes it."""

    suffix: str
    write: Callable[[Samples], bytes]


def _by_av(kind: str, codec: str, bit_rate: int = 0, **options: str) -> Callable[[Samples], bytes]:
    return lambda samples: encode(samples, kind, codec, bit_rate, options=options)


UNCOMPRESSED: dict[str, Format] = {
    "WAV": Format(".wav", wave),
    "RF64": Format(".wav", _rf64),
    "WAV with ADPCM": Format(".wav", _by_av("wav", "adpcm_ima_wav")),
    "WAV with A-law": Format(".wav", _by_av("wav", "pcm_alaw")),
    "WAV with floating point": Format(".wav", _by_av("wav", "pcm_f32le")),
    "AIFF": Format(".aiff", _aiff),
    "AIFF-C, lowest byte first": Format(".aifc", lambda samples: _aiff(samples, b"sowt")),
    "DSF": Format(".dsf", lambda samples: dsf(_dsd_of(samples))),
    "DSDIFF": Format(".dff", lambda samples: dsdiff(_dsd_of(samples))),
    "PCM in QuickTime": Format(".m4a", _by_av("mov", "pcm_s16le")),
    "PCM in MP4": Format(".mp4", _by_av("mp4", "pcm_s16le")),
    "PCM in Matroska": Format(".mka", _by_av("matroska", "pcm_s16le")),
    "PCM in ASF": Format(".wma", _by_av("asf", "pcm_s16le")),
}
CONSTANT_BIT_RATE: dict[str, Format] = {
    "MP3": Format(".mp3", _by_av("mp3", "libmp3lame", 128_000)),
    "MP3 of 320 kbit/s": Format(".mp3", _by_av("mp3", "libmp3lame", 320_000)),
    "MP2": Format(".mp2", _by_av("mp2", "mp2", 192_000)),
    "AC-3": Format(".ac3", _by_av("ac3", "ac3", 192_000)),
    "AC-3 of 640 kbit/s": Format(".ac3", _by_av("ac3", "ac3", 640_000)),
    "E-AC-3": Format(".eac3", _by_av("eac3", "eac3", 192_000)),
    "WMA": Format(".wma", _by_av("asf", "wmav2", 128_000)),
    "Opus": Format(".opus", _by_av("opus", "libopus", 128_000, vbr="off")),
    "Opus in WebM": Format(".webm", _by_av("webm", "libopus", 128_000, vbr="off")),
    "MP3 in Matroska": Format(".mka", _by_av("matroska", "libmp3lame", 128_000)),
}
LOSSLESS: dict[str, Format] = {
    "FLAC": Format(".flac", _by_av("flac", "flac")),
    "ALAC": Format(".m4a", _by_av("ipod", "alac")),
    "WavPack": Format(".wv", _by_av("wv", "wavpack")),
    "TTA": Format(".tta", _by_av("tta", "tta")),
}
