"""The range of a file that is a track of a cue sheet is decoded as a file of its own."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from services.analyzer.decode.decoders import Undecodable
from services.analyzer.decode.file_range import FileRange
from services.analyzer.decode_pass import DecodedTrack, decode_file

RATE_HZ = 44_100
RANGES = (FileRange(0, 7.5), FileRange(7.5, 16.52), FileRange(16.52, None))
LEVELS = (0.5, 0.02, 0.15)
LENGTH_S = 24
LOSSLESS = {
    ".flac": ("flac", "s16"), ".wav": ("pcm_s16le", "s16"), ".aiff": ("pcm_s16be", "s16"),
    ".wv": ("wavpack", "s16p"), ".tta": ("tta", "s16"), ".m4a": ("alac", "s16p"),
    ".mka": ("flac", "s16"),
}  # fmt: skip
LOSSY = {
    ".mp3": ("mp3", "s16p"), ".aac.m4a": ("aac", "fltp"), ".opus": ("libopus", "s16"),
    ".ac3": ("ac3", "fltp"),
}  # fmt: skip


def sound() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A tone of another pitch and level in each range, with a little noise."""
    times = np.arange(RATE_HZ * LENGTH_S) / RATE_HZ
    noise = np.random.default_rng(3).uniform(-1, 1, len(times)) / 1_000
    for n, (wanted, level) in enumerate(zip(RANGES, LEVELS, strict=True), start=1):
        part = samples(*wanted)
        noise[part] += level * np.sin(2 * np.pi * 300 * n * times[part])
    return (noise * 32_767).astype(np.int16)


def samples(start_s: float, end_s: float | None) -> slice:
    return slice(round(start_s * RATE_HZ), None if end_s is None else round(end_s * RATE_HZ))


def write(path: Path, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Path:
    codec, sample_format = (LOSSLESS | LOSSY)["".join(path.suffixes)]
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.format = "mono", sample_format
        frame_size = 960 if codec == "libopus" else 0
        resampler = av.AudioResampler(sample_format, "mono", rate_hz, frame_size)
        for start in range(0, len(pcm), 1_152):
            block = np.ascontiguousarray(pcm[None, start : start + 1_152])
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            for each in resampler.resample(frame):
                container.mux(stream.encode(each))
        for each in resampler.resample(None):
            container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path, wanted: FileRange) -> DecodedTrack:
    return decode_file(bytes(path), wanted=wanted)


@pytest.mark.parametrize("ending", LOSSLESS)
def test_a_range_has_the_very_samples(tmp_path: Path, ending: str) -> None:
    pcm = sound()
    path = write(tmp_path / f"album{ending}", pcm)
    for wanted in RANGES:
        part = decoded(path, wanted)
        soundfile.write(tmp_path / "alone.wav", pcm[samples(*wanted)], RATE_HZ)
        alone = decode_file(bytes(tmp_path / "alone.wav"))
        assert part.samples == alone.samples
        assert np.array_equal(part.mono, alone.mono)
        assert np.array_equal(part.k_power, alone.k_power)
        assert not part.damaged


def states_5_s(content: bytearray) -> None:
    """A FLAC header with too few samples: the number ends at byte 26."""
    content[22:26] = (5 * RATE_HZ).to_bytes(4, "big")


def states_no_length(content: bytearray) -> None:
    """A WAV header by a program that streams."""
    data = content.index(b"data")
    content[4:8] = content[data + 4 : data + 8] = b"\xff" * 4


@pytest.mark.parametrize(("ending", "mislead"), [(".flac", states_5_s), (".wav", states_no_length)])
def test_a_range_of_a_file_with_a_wrong_length_in_its_header_has_the_very_samples(
    tmp_path: Path, ending: str, mislead: Callable[[bytearray], None]
) -> None:
    pcm = sound()
    path = write(tmp_path / f"album{ending}", pcm)
    content = bytearray(path.read_bytes())
    mislead(content)
    path.write_bytes(content)
    for wanted in RANGES:
        part = decoded(path, wanted)
        soundfile.write(tmp_path / "alone.wav", pcm[samples(*wanted)], RATE_HZ)
        alone = decode_file(bytes(tmp_path / "alone.wav"))
        assert np.array_equal(part.mono, alone.mono)
        assert not part.damaged


@pytest.mark.parametrize("ending", LOSSY)
def test_a_range_of_a_lossy_file_has_its_length_and_level(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"album{ending}", sound())
    for wanted, level in zip(RANGES, LEVELS, strict=True):
        part = decoded(path, wanted)
        length_s = (wanted.end_s or LENGTH_S) - wanted.start_s
        assert part.duration_s == pytest.approx(length_s, abs=0.1)
        # Some formats begin with a few milliseconds of an encoder's delay: the edges are left out.
        rms = float(np.sqrt(part.mean_square[2:-2].mean()))
        # LAME makes everything 0.95 as loud.
        assert rms == pytest.approx(level / np.sqrt(2), rel=0.06)
        assert not part.damaged


@pytest.mark.parametrize("ending", [".flac", ".wv", ".mp3"])
def test_only_the_track_with_the_damage_is_damaged(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"album{ending}", sound())
    content = bytearray(path.read_bytes())
    middle = len(content) // 5
    content[middle : middle + 4_000] = bytes(4_000)
    path.write_bytes(content)
    found = [decoded(path, wanted).damaged for wanted in RANGES]
    # Of an MP3 the frames are counted without a decoder: that a hole is in the file is all it says.
    assert found == ([True, False, False] if ending != ".mp3" else [True, True, True])


def test_a_track_that_is_cut_off_is_damaged_and_one_behind_the_end_is_refused(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "album.flac", sound())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    first, second = (decoded(path, wanted) for wanted in RANGES[:2])
    assert not first.damaged
    assert second.damaged
    with pytest.raises(Undecodable):
        decoded(path, FileRange(22, None))
