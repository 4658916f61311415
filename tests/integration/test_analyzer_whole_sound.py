"""Files whose headers mislead are analysed whole, and `damaged` is true only of damaged files.

Each is made here from parts of known length, so what is right is known.
"""

import random
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from services.analyzer.decode.audio import Audio
from services.analyzer.decode_pass import DecodedTrack, decode_file, decode_stream
from services.analyzer.loudness.ebu_r128 import integrated_lufs
from tests.unit.services.analyzer.sounds import sine

RATE_HZ = 44_100
Sound = NDArray[np.float32]


def _music(duration_s: float, rate_hz: int = RATE_HZ) -> Sound:
    """A soft half and a loud half: a variable bit rate begins low, so guesses from it are wrong."""
    rng = np.random.default_rng(8)
    sound = 0.02 * sine(220, duration_s, rate_hz=rate_hz)
    half = len(sound) // 2
    sound[half:] += 0.1 * rng.standard_normal(len(sound) - half).astype(np.float32)
    return sound


def _encode(
    path: Path, codec: str, sound: Sound, layout: str = "stereo", *, rate_hz: int = RATE_HZ,
    muxer: Mapping[str, str] = {}, encoder: Mapping[str, str] = {},
) -> bytes:  # fmt: skip
    """Encode a sound, (n,) for all channels or (n, channels), with FFmpeg's libraries."""
    channels = av.AudioLayout(layout).nb_channels
    if sound.ndim == 1:
        sound = np.repeat(sound[:, None], channels, axis=1)
    if codec == "vorbis":
        with soundfile.SoundFile(path, "w", rate_hz, channels, "VORBIS", format="OGG") as file:
            for start in range(0, len(sound), 4_096):
                file.write(sound[start : start + 4_096])
        return path.read_bytes()
    with av.open(str(path), "w", options=dict(muxer)) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout, options=dict(encoder))
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate_hz,
            frame_size=stream.codec_context.frame_size or 4_096,
        )  # fmt: skip
        samples = np.ascontiguousarray(sound, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        for each in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(each))
    return path.read_bytes()


def _headerless_vbr(folder: Path) -> bytes:
    content = _encode(
        folder / "vbr.mp3", "libmp3lame", _music(60), "mono",
        muxer={"write_xing": "0", "id3v2_version": "0"},
        encoder={"flags": "+qscale", "global_quality": str(4 * 118)},
    )  # fmt: skip
    return content[content.index(b"\xff\xfb") :]


def _vbri(folder: Path) -> bytes:
    """With the header that Fraunhofer's encoder writes, in a frame of its own."""
    content = _headerless_vbr(folder)
    kbps = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[content[2] >> 4]
    frame = bytearray(144 * kbps * 1_000 // RATE_HZ)
    frame[:4] = content[0], content[1], content[2] & ~2, content[3]
    header = struct.pack(">HHHIIHHHH", 1, 0, 75, len(content), 2_297, 1, 1, 2, 2_297)
    frame[36 : 40 + len(header)] = b"VBRI" + header
    return bytes(frame) + content


def _mp3(folder: Path, duration_s: float, layout: str = "stereo", rate_hz: int = RATE_HZ) -> bytes:
    return _encode(
        folder / "part.mp3", "libmp3lame", _music(duration_s, rate_hz), layout, rate_hz=rate_hz
    )


def _ogg(folder: Path, duration_s: float, layout: str = "stereo", rate_hz: int = RATE_HZ) -> bytes:
    return _encode(
        folder / "part.ogg", "vorbis", _music(duration_s, rate_hz), layout, rate_hz=rate_hz
    )


def _opus(folder: Path, duration_s: float, layout: str = "stereo") -> bytes:
    return _encode(
        folder / "part.opus", "libopus", _music(duration_s, 48_000), layout, rate_hz=48_000
    )


def _aac(folder: Path, duration_s: float) -> bytes:
    return _encode(folder / "part.aac", "aac", _music(duration_s))


def _mp3_in_wav(folder: Path) -> bytes:
    return _encode(folder / "mp3.wav", "libmp3lame", _music(10))


def _with_a_longer_video(folder: Path) -> bytes:
    path = folder / "video.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        video = container.add_stream("mpeg4", rate=5)
        assert isinstance(audio, av.AudioStream)
        assert isinstance(video, av.VideoStream)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = _music(10)
        for start in range(0, len(sound), 1_024):
            frame = av.AudioFrame.from_ndarray(
                sound[None, start : start + 1_024], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
        for number in range(5 * 20):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return path.read_bytes()


INTACT: dict[str, tuple[str, float, Callable[[Path], bytes]]] = {
    "VBR without a header": ("mp3", 60.03, _headerless_vbr),
    "VBRI": ("mp3", 60.03, _vbri),
    "joined MP3s": ("mp3", 50, lambda folder: _mp3(folder, 20) + _mp3(folder, 30)),
    "joined at an ID3v1 tag": (
        "mp3", 50, lambda folder: _mp3(folder, 20) + b"TAG" + bytes(125) + _mp3(folder, 30),
    ),
    "mono, then stereo": ("mp3", 25, lambda folder: _mp3(folder, 15, "mono") + _mp3(folder, 10)),
    "stereo, then mono": ("mp3", 25, lambda folder: _mp3(folder, 10) + _mp3(folder, 15, "mono")),
    "two rates": (
        "mp3", 25, lambda folder: _mp3(folder, 10) + _mp3(folder, 15, "stereo", 48_000),
    ),
    "chained Ogg": ("ogg", 25, lambda folder: _ogg(folder, 10) + _ogg(folder, 15)),
    "chained Ogg, mono and stereo": (
        "ogg", 22, lambda folder: _ogg(folder, 12, "mono") + _ogg(folder, 10),
    ),
    "chained Ogg, two rates": (
        "ogg", 22, lambda folder: _ogg(folder, 10) + _ogg(folder, 12, "stereo", 48_000),
    ),
    "chained Opus, stereo and mono": (
        "opus", 24, lambda folder: _opus(folder, 10) + _opus(folder, 14, "mono"),
    ),
    "Vorbis, then Opus": ("ogg", 20, lambda folder: _ogg(folder, 10) + _opus(folder, 10)),
    "AAC named MP3": ("mp3", 10.03, lambda folder: _aac(folder, 10)),
    "MP3 in WAV": ("wav", 10.03, _mp3_in_wav),
    "a longer video": ("mp4", 10.01, _with_a_longer_video),
}  # fmt: skip


@pytest.mark.parametrize("kind", INTACT)
def test_an_intact_file_is_heard_whole_whatever_its_header_says(tmp_path: Path, kind: str) -> None:
    suffix, duration_s, make = INTACT[kind]
    track = _decoded(tmp_path, make(tmp_path), suffix)
    assert track.duration_s == pytest.approx(duration_s, abs=0.03)
    assert not track.damaged
    # The second halves of all parts are noise at -20 dBFS: with the first part alone, it is less.
    assert integrated_lufs(track.k_power) == pytest.approx(
        -17.8 if track.channels == 1 else -14.8, abs=1.3
    )


def _decoded(folder: Path, content: bytes, suffix: str) -> DecodedTrack:
    path = folder / f"whole.{suffix}"
    path.write_bytes(content)
    return decode_file(bytes(path))


LOSSLESS = {"flac": "flac", "wv": "wavpack", "tta": "tta", "m4a": "alac"}


@pytest.mark.parametrize("filling", ["noise", "zeros"])
@pytest.mark.parametrize("suffix", [*LOSSLESS, "mp3", "ogg", "opus", "aac.m4a"])
def test_a_file_with_4_kb_destroyed_is_damaged_and_the_rest_is_heard(
    tmp_path: Path, suffix: str, filling: str
) -> None:
    if suffix in LOSSLESS:
        content = bytearray(_encode(tmp_path / f"a.{suffix}", LOSSLESS[suffix], _music(20)))
    elif suffix == "aac.m4a":
        content = bytearray(_encode(tmp_path / f"a.{suffix}", "aac", _music(20)))
    else:
        make = {"mp3": _mp3, "ogg": _ogg, "opus": _opus}[suffix]
        content = bytearray(make(tmp_path, 20))
    assert not _decoded(tmp_path, bytes(content), suffix).damaged
    middle = 3 * len(content) // 4
    content[middle : middle + 4_000] = (
        random.Random(1).randbytes(4_000) if filling == "noise" else bytes(4_000)
    )
    track = _decoded(tmp_path, bytes(content), suffix)
    assert track.damaged
    assert track.duration_s > 17.5


def test_a_bit_that_fails_flacs_checksum_is_damage(tmp_path: Path) -> None:
    content = bytearray(_encode(tmp_path / "a.flac", "flac", _music(20)))
    content[3 * len(content) // 4] ^= 1
    assert _decoded(tmp_path, bytes(content), "flac").damaged


SIGMA_DELTA_HZ = 2_822_400


def _dsf(bits: NDArray[np.bool_]) -> bytes:
    """DSF with these bits in both channels. Source: Sony's "DSF File Format Specification"."""
    packed = np.packbits(bits, bitorder="little").tobytes()
    packed += b"\x69" * (-len(packed) % 4_096)
    blocks = [packed[at : at + 4_096] for at in range(0, len(packed), 4_096)]
    data = b"".join(block * 2 for block in blocks)
    fmt = b"fmt " + struct.pack(
        "<QIIIIIIQII", 52, 1, 0, 2, 2, SIGMA_DELTA_HZ, 1, len(bits), 4_096, 0
    )
    size = 28 + len(fmt) + 12 + len(data)
    return (
        b"DSD " + struct.pack("<QQQ", 28, size, 0) + fmt
        + b"data" + struct.pack("<Q", 12 + len(data)) + data
    )  # fmt: skip


def _sigma_delta(sound: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A modulator of the second order, whose noise rises above the audible range."""
    first = second = 0.0
    bit = 1.0
    bits = np.empty(len(sound), np.bool_)
    for number, value in enumerate(sound.tolist()):
        first += value - bit
        second += first - bit
        bit = 1.0 if second >= 0 else -1.0
        bits[number] = second >= 0
    return bits


@pytest.mark.parametrize(("dbfs", "lufs"), [(-46.4, -46.4), (-140.0, -70.0)])
def test_dsd_is_as_loud_as_its_sound_and_not_as_its_noise(
    tmp_path: Path, dbfs: float, lufs: float
) -> None:
    times = np.arange(int(1.5 * SIGMA_DELTA_HZ)) / SIGMA_DELTA_HZ
    dither = np.random.default_rng(1).normal(0, 1e-4, len(times))
    tone = 10 ** (dbfs / 20) * np.sin(2 * np.pi * 997 * times)
    track = _decoded(tmp_path, _dsf(_sigma_delta(tone + dither)), "dsf")
    assert track.duration_s == pytest.approx(1.5, abs=0.02)
    assert not track.damaged
    assert integrated_lufs(track.k_power) == pytest.approx(lufs, abs=0.2)
    peak_dbfs = 20 * np.log10(track.peak[2:-2].max())
    assert peak_dbfs < -60 if dbfs < -100 else peak_dbfs == pytest.approx(dbfs, abs=2)
    assert track.bandwidth_hz <= 24_000
    if dbfs < -100:
        assert (track.mean_square < 1e-6).all()


@pytest.mark.parametrize("rate_hz", [176_400, 192_000])
def test_noise_above_the_range_of_hearing_does_not_count(tmp_path: Path, rate_hz: int) -> None:
    times = np.arange(3 * rate_hz) / rate_hz
    quiet = 10 ** (-46 / 20) * np.sin(2 * np.pi * 997 * times)
    # As DSD converted to PCM has it: nothing up to 50 kHz, then far louder than the music.
    noise = 0.1 * np.sin(2 * np.pi * 70_000 * times)
    soundfile.write(tmp_path / "a.flac", np.stack([quiet + noise] * 2, 1), rate_hz, "PCM_24")
    track = decode_file(bytes(tmp_path / "a.flac"))
    assert track.duration_s == pytest.approx(3, abs=0.01)
    assert not track.damaged
    assert integrated_lufs(track.k_power) == pytest.approx(-46, abs=0.1)


def test_a_decoder_that_never_ends_is_ended_where_the_file_cannot_hold_more() -> None:
    blocks = 0

    def endless() -> Iterator[Sound]:
        nonlocal blocks
        while True:
            blocks += 1
            yield np.zeros((2, 80_000), np.float32)

    track = decode_stream(Audio(8_000, None, endless(), longest_s=60))
    assert (track.duration_s, track.damaged, blocks) == (60, True, 7)


LAYOUTS = ["mono", "stereo", "2.1", "3.0", "quad", "3.1", "4.0", "4.1", "5.0", "5.1", "6.0", "6.1",
           "hexagonal", "7.1"]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_loudness_is_by_layout_as_ffmpegs_own_meter_has_it(tmp_path: Path, layout: str) -> None:
    path, names = tmp_path / "a.wv", [c.name for c in av.AudioLayout(layout).channels]
    times = np.arange(4 * 48_000) / 48_000
    tones = [0.05 * np.sin(2 * np.pi * (900 + 40 * n) * times) for n in range(len(names))]
    _encode(path, "wavpack", np.stack(tones, 1), layout, rate_hz=48_000)
    assert integrated_lufs(decode_file(bytes(path)).k_power) == pytest.approx(
        _ebur128_lufs(path), abs=0.1
    )


def _ebur128_lufs(path: Path) -> float:
    """Integrated loudness by FFmpeg's filter `ebur128`."""
    graph = av.filter.Graph()
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        source = graph.add_abuffer(template=stream)
        graph.link_nodes(
            source, graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
        ).configure()
        lufs = -70.0
        for frame in container.decode(stream):
            graph.push(frame)
            while True:
                try:
                    measured = graph.pull()
                except (av.BlockingIOError, av.EOFError):
                    break
                lufs = float(dict(measured.metadata).get("lavfi.r128.I", lufs))
    return lufs
