"""The analysis of files of all formats, whole and damaged."""

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from services.analyzer.decode.decoders import (
    Undecodable,
    open_audio,
    open_with_each_decoder,
    read_content,
)
from services.analyzer.decode_pass import TooShort
from services.analyzer.worker import analyze_file
from shared.contracts.analysis import Analysis
from shared.contracts.errors import InvalidInput
from soniquebay.demo import DEMO_TRACKS, DemoTrack
from soniquebay.demo.encoding import encode

RATE_HZ = 44_100
LENGTH_S = 12
FORMATS = ("wav", "flac", "ogg", "mp3", "m4a", "opus")
STATES_LENGTH = ("wav", "flac", "mp3")
"""Ogg states its length on the last page only; MP4 has its index at the end, and fails without."""


def _music() -> NDArray[np.float64]:
    """Two channels, 120 BPM, an A minor chord, -20 dBFS or so."""
    times = np.arange(RATE_HZ * LENGTH_S) / RATE_HZ
    beat = np.exp(-(times % 0.5) / 0.05) + 0.1
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (220.0, 261.63, 329.63))
    left = 0.15 * np.asarray(chord) * beat
    return np.stack([left, 0.8 * left], axis=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("formats")
    made = {ending: folder / f"a.{ending}" for ending in FORMATS}
    for path in made.values():
        encode(path, _music(), RATE_HZ)
    return made


@pytest.fixture(scope="module")
def truth(files: dict[str, Path]) -> Analysis:
    return analyze_file(bytes(files["wav"]))


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3"])
def test_blocks_have_no_seams(files: dict[str, Path], ending: str) -> None:
    whole, _ = soundfile.read(files[ending], dtype="float32")
    blocks = list(open_audio(bytes(files[ending])).blocks)
    assert len(blocks) > 1
    np.testing.assert_allclose(np.concatenate(blocks, axis=1).T, whole, atol=1e-6)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_analysis_of_the_same_sound(
    files: dict[str, Path], truth: Analysis, ending: str
) -> None:
    found = analyze_file(bytes(files[ending]))
    assert not found.damaged
    assert found.analyzed_duration_s == pytest.approx(LENGTH_S, abs=0.1)
    assert found.loudness_lufs == pytest.approx(truth.loudness_lufs, abs=0.2)
    assert found.tempo_bpm == pytest.approx(120, rel=0.02)
    assert (found.key, found.mode) == ("A", "minor")
    assert found.spectral_centroid_hz == pytest.approx(truth.spectral_centroid_hz, rel=0.15)
    assert found.energy == pytest.approx(truth.energy, abs=0.05)


@pytest.mark.parametrize("ending", FORMATS)
def test_each_decoder_is_a_fallback_of_the_others(files: dict[str, Path], ending: str) -> None:
    path = bytes(files[ending])
    lengths = [
        sum(block.shape[1] for block in audio.blocks) / audio.rate_hz
        for audio in open_with_each_decoder(path, read_content(path))
    ]
    # libsndfile reads no AAC, FFmpeg's filter leaves FLAC to others, and MP3 has parts, too.
    decoders = {"m4a": 2, "flac": 2, "mp3": 4}.get(ending, 3)
    assert lengths == [pytest.approx(LENGTH_S, abs=0.1)] * decoders


SURROUND = [
    ("flac", "flac", "7.1"),
    ("m4a", "aac", "5.1"),
    ("m4a", "alac", "5.1"),
    ("opus", "libopus", "5.1"),
    ("opus", "libopus", "7.1"),
    ("ac3", "ac3", "5.1(side)"),
]


@pytest.mark.parametrize(("ending", "codec", "layout"), SURROUND)
def test_surround_keeps_its_channels(tmp_path: Path, ending: str, codec: str, layout: str) -> None:
    path, channels = tmp_path / f"a.{ending}", av.AudioLayout(layout).nb_channels
    levels = 0.5 / (1 + np.arange(channels))
    times = np.arange(2 * 48_000) / 48_000
    # Each channel has a level of its own; 60 Hz is low enough for the LFE channel.
    _encode_surround(path, codec, layout, levels * np.sin(2 * np.pi * 60 * times)[:, None])
    for audio in open_with_each_decoder(bytes(path), read_content(bytes(path))):
        assert audio.rate_hz == 48_000
        samples = np.concatenate(list(audio.blocks), axis=1)[:, 24_000:-24_000]
        found = samples.std(axis=1) * np.sqrt(2)
        np.testing.assert_allclose(found, levels, rtol=0.05)
    assert analyze_file(bytes(path)).damaged is False


def _encode_surround(path: Path, codec: str, layout: str, sound: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 128_000 * sound.shape[1] // 2
        made = av.AudioResampler(stream.codec_context.format, layout, 48_000,
                                 frame_size=stream.codec_context.frame_size or 4_096)  # fmt: skip
        samples = sound.astype(np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
        frame.sample_rate = 48_000
        for each in [*made.resample(frame), *made.resample(None), None]:
            container.mux(stream.encode(each))


def test_an_mp3_that_states_no_length_is_decoded_to_its_end(tmp_path: Path) -> None:
    loud = np.random.default_rng(0).uniform(-0.9, 0.9, (5 * RATE_HZ, 2))
    path = tmp_path / "a.mp3"
    encode(path, np.concatenate([loud, _music()]), RATE_HZ)
    content = path.read_bytes()
    second_frame = content.index(b"\xff\xfb", content.index(b"Xing"))
    path.write_bytes(content[second_frame:])
    assert analyze_file(bytes(path)).analyzed_duration_s == pytest.approx(LENGTH_S + 5, abs=0.1)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_wrong_file_extension_does_not_matter(
    files: dict[str, Path], tmp_path: Path, ending: str
) -> None:
    misnamed = tmp_path / f"a.{'ogg' if ending != 'ogg' else 'mp3'}"
    misnamed.write_bytes(files[ending].read_bytes())
    assert analyze_file(bytes(misnamed)).analyzed_duration_s == pytest.approx(LENGTH_S, abs=0.1)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_truncated_file_gives_what_is_left_or_fails_with_a_message(
    files: dict[str, Path], tmp_path: Path, ending: str, share: float
) -> None:
    content = files[ending].read_bytes()
    found = _analyze(tmp_path / f"cut.{ending}", content[: int(len(content) * share)])
    if isinstance(found, Analysis):
        assert found.analyzed_duration_s <= LENGTH_S + 0.1
        if ending in STATES_LENGTH and share < 0.9:
            assert found.damaged


@pytest.mark.parametrize("hurt", ["few", "many", "hole"])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_damaged_file_gives_what_is_left_or_fails_with_a_message(
    files: dict[str, Path], tmp_path: Path, ending: str, hurt: str
) -> None:
    chance = random.Random(f"{ending} {hurt}")
    content = bytearray(files[ending].read_bytes())
    for _ in range({"few": 20, "many": len(content) // 100, "hole": 0}[hurt]):
        content[chance.randrange(200, len(content))] ^= 1 << chance.randrange(8)
    if hurt == "hole":
        third = len(content) // 3
        content[third : 2 * third] = bytes(third)
    _analyze(tmp_path / f"hurt.{ending}", bytes(content))


def _analyze(path: Path, content: bytes) -> Analysis | InvalidInput:
    """The analysis, whose model checks the ranges of all fields, or an error with a message."""
    path.write_bytes(content)
    try:
        return analyze_file(bytes(path))
    except InvalidInput as error:
        assert str(error)
        assert "Traceback" not in str(error)
        return error


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp3", b""),
        ("text.flac", b"this is no music, whatever its name says\n" * 50),
        ("noise.m4a", random.Random(1).randbytes(50_000)),
        ("noise.ogg", random.Random(2).randbytes(50_000)),
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVEfmt "),
        ("page.html", b"<!doctype html><title>404</title>"),
    ],
)
def test_files_that_are_not_audio_cannot_be_decoded(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"cannot be decoded|can be decoded"):
        analyze_file(bytes(path))


def test_a_file_that_is_gone_is_reported_as_gone(tmp_path: Path) -> None:
    with pytest.raises(Undecodable, match="the file is gone"):
        analyze_file(bytes(tmp_path / "gone.mp3"))


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "empty"])
def test_a_folder_or_an_empty_file_fails_with_a_message(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "a.flac")
    with pytest.raises(InvalidInput):
        analyze_file(bytes(tmp_path / "a.flac"))


@pytest.mark.parametrize(("length_s", "is_enough"), [(0.5, False), (1.0, True)])
def test_a_second_is_enough_and_less_is_not(
    tmp_path: Path, length_s: float, is_enough: bool
) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, _music()[: round(length_s * RATE_HZ)], RATE_HZ)
    if is_enough:
        assert analyze_file(bytes(path)).analyzed_duration_s == 1
    else:
        with pytest.raises(TooShort, match=r"only 0\.50 s"):
            analyze_file(bytes(path))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate_hz", [8_000, 48_000, 96_000])
def test_any_number_of_channels_and_any_rate(tmp_path: Path, channels: int, rate_hz: int) -> None:
    path = tmp_path / "a.flac"
    sound = np.random.default_rng(1).uniform(-0.3, 0.3, (2 * rate_hz, channels))
    soundfile.write(path, sound, rate_hz)
    found = analyze_file(bytes(path))
    assert (found.analyzed_duration_s, found.damaged) == (2, False)


def test_a_file_name_that_is_not_utf8_can_be_opened(files: dict[str, Path]) -> None:
    for ending in FORMATS:
        path = bytes(files[ending].parent) + b"/caf\xe9." + ending.encode()
        Path(path.decode("utf-8", "surrogateescape")).write_bytes(files[ending].read_bytes())
        assert analyze_file(path).analyzed_duration_s > 7


@pytest.mark.parametrize("track", DEMO_TRACKS[::3], ids=lambda track: track.title)
def test_the_demo_sounds_as_it_was_made(demo_music: Path, track: DemoTrack) -> None:
    made = track
    found = analyze_file(bytes(demo_music / made.path))
    assert found.tempo_bpm == pytest.approx(made.tempo_bpm, rel=0.02)
    assert (found.key, found.mode) == (made.key, made.mode)
    assert found.loudness_lufs == pytest.approx(made.loudness_lufs, abs=0.3)
    assert found.tuning_cents == pytest.approx(0, abs=5)
    assert found.meaning is not None
    assert {name for name, value in found.model_dump().items() if value in (None, [], "")} <= {
        "acoustid_id", "fingerprint", "meaning_absence", "section_boundaries_s",
    }  # fmt: skip


def test_real_music_is_analysed_whole(wesnoth_music: Path) -> None:
    pieces = sorted(wesnoth_music.rglob("*.ogg"), key=lambda path: path.stat().st_size)
    for path in [piece for piece in pieces if piece.stat().st_size > 500_000][:4]:
        found = analyze_file(bytes(path))
        assert not found.damaged
        assert found.meaning is not None
        assert found.true_peak_dbtp >= found.peak_dbfs
        assert found.bandwidth_hz > 8_000
        assert found.key_changes[0].time_s == 0
        assert -40 < found.loudness_lufs < -5
        assert found.key_confidence > 0


@pytest.mark.parametrize(
    ("rate_hz", "message"),
    [
        (0, "invalid data"),
        (60, "60 samples a second"),
        (2_130_706_440, "2,130,706,440 samples a second"),
    ],
)
def test_an_absurd_sample_rate_is_reported(tmp_path: Path, rate_hz: int, message: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((44_100, 2), np.float32), 44_100)
    content = bytearray(path.read_bytes())
    content[24:28] = rate_hz.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(Undecodable, match=message):
        analyze_file(bytes(path))


def test_a_format_that_no_decoder_knows_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((44_100, 2), np.float32), 44_100)
    content = bytearray(path.read_bytes())
    content[20:22] = (0x7777).to_bytes(2, "little")  # a format tag that does not exist
    path.write_bytes(content)
    with pytest.raises(Undecodable, match="no decoder knows its format"):
        analyze_file(bytes(path))
