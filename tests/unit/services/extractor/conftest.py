"""Small music files of each format, made once: a tone of one second."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import pytest
import soundfile

from tests.audio_files import HEADERS

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
_JPEG = b"\xff\xd8\xff\xe0" + b"front" * 20
MakeFile = Callable[..., Path]


def _tone() -> np.ndarray:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s)
    return np.stack([tone, tone], axis=1).astype(np.float32)


def _write_av(path: Path, codec: str) -> None:
    kind = _KINDS.get(path.name.removeprefix("a"))
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        stream.time_base = Fraction(1, RATE_HZ)
        stream.bit_rate = 128_000
        stream.codec_context.format = (stream.codec.audio_formats or [])[0]
        samples = (_tone().T * 32_767).astype(np.int16)
        resampler = av.AudioResampler(stream.format, "stereo", RATE_HZ, stream.frame_size or 4_096)
        frame = av.AudioFrame.from_ndarray(
            samples.T.reshape(1, -1).copy(), format="s16", layout="stereo"
        )
        frame.sample_rate = RATE_HZ
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An untagged file of each format, by suffix."""
    folder = tmp_path_factory.mktemp("tones")
    for suffix, (kind, subtype) in _BY_SOUNDFILE.items():
        rate = 48_000 if suffix == ".opus" else RATE_HZ
        soundfile.write(folder / f"a{suffix}", _tone(), rate, format=kind, subtype=subtype)
    for suffix, codec in _BY_AV.items():
        _write_av(folder / f"a{suffix}", codec)
    made = {suffix: (folder / f"a{suffix}").read_bytes() for suffix in (*_BY_SOUNDFILE, *_BY_AV)}
    return made | {suffix: make() for suffix, make in HEADERS.items()}


@pytest.fixture
def make_file(tones: dict[str, bytes], tmp_path: Path) -> MakeFile:
    """Write an untagged file of a format: `make_file("a/b.flac")`."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tones["".join(path.suffixes[-2:])])
        return path

    return make


@pytest.fixture
def jpeg() -> bytes:
    """Bytes that begin like a JPEG image."""
    return _JPEG


@pytest.fixture
def open_tags() -> Callable[[Path], Any]:
    """A file opened by mutagen, with tags to write to."""

    def opened(path: Path) -> Any:
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        return file

    return opened
