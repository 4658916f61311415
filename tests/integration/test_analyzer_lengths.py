"""What is analysed of a file, against what it holds: every container and coding that is read.

Intact files are heard whole and are not damaged, whatever stands behind them. Where sound is not
heard, the file is damaged or refused. Headers that state a wrong length change nothing of this.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.analyzer.decode_pass import DecodedTrack, decode_file
from services.extractor.read.file_reader import read_file
from shared.contracts.errors import InvalidInput
from tests.encoded_audio import CODINGS, Sound, encode_as

LENGTH_S, OTHER_LENGTH_S = 4, 6
PADDING_S = 0.1
"""Encoders of lossy formats fill up their last frame, and some decoders drop the first one."""
LEAST_HEARD = 0.98
PLAYED_WHOLE_WHEN_JOINED = {
    "FLAC", "Ogg FLAC", "Vorbis", "Opus", "MP3", "MP2", "ADTS", "AC-3", "E-AC-3",
    "Matroska, FLAC", "Matroska, AAC", "Matroska, MP3", "Matroska, PCM", "WebM",
}  # fmt: skip
Files = dict[str, tuple[bytes, bytes]]


def _music(length_s: int, rate_hz: int) -> Sound:
    times = np.arange(length_s * rate_hz) / rate_hz
    noise = 0.02 * np.random.default_rng(length_s).standard_normal((len(times), 2))
    tones = np.stack([0.2 * np.sin(2 * np.pi * hz * times) for hz in (440, 330)], axis=1)
    return (tones + noise).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A file of four seconds and one of six, by coding."""
    folder, made = tmp_path_factory.mktemp("lengths"), {}
    for name, coding in CODINGS.items():
        path = folder / f"a.{coding.suffix}"
        one, other = (
            encode_as(coding, path, _music(length_s, coding.rate_hz))
            for length_s in (LENGTH_S, OTHER_LENGTH_S)
        )
        made[name] = one, other
    return made


@pytest.fixture
def decode(tmp_path: Path) -> Callable[[str, bytes], DecodedTrack]:
    def decoded(name: str, content: bytes) -> DecodedTrack:
        path = tmp_path / f"a.{CODINGS[name].suffix}"
        path.write_bytes(content)
        return decode_file(bytes(path))

    return decoded


Decode = Callable[[str, bytes], DecodedTrack]
BEHIND = {"nothing": b"", "zeros": bytes(30_000), "an ID3v1 tag": b"TAG" + b"x".ljust(125, b"\0")}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("name", CODINGS)
def test_an_intact_file_is_heard_whole_and_not_damaged_whatever_is_behind_it(
    files: Files, decode: Decode, name: str, behind: str
) -> None:
    track = decode(name, files[name][0] + BEHIND[behind])
    assert track.duration_s == pytest.approx(LENGTH_S, abs=PADDING_S)
    assert track.duration_s >= LEAST_HEARD * LENGTH_S
    assert not track.damaged


@pytest.mark.parametrize("name", CODINGS)
def test_joined_files_are_heard_whole_or_damaged(files: Files, decode: Decode, name: str) -> None:
    track = decode(name, b"".join(files[name]))
    is_whole = track.duration_s >= LEAST_HEARD * (LENGTH_S + OTHER_LENGTH_S)
    assert is_whole == (name in PLAYED_WHOLE_WHEN_JOINED)
    assert track.damaged is not is_whole


@pytest.mark.parametrize("name", CODINGS)
def test_a_file_that_is_cut_is_damaged_or_refused(files: Files, decode: Decode, name: str) -> None:
    content = files[name][0]
    for share in (0.3, 0.6, 0.9):
        # Not between two frames: a file without a header is whole there.
        try:
            track = decode(name, content[: int(len(content) * share) + 37])
        except InvalidInput:
            continue
        assert track.damaged, share
        assert track.duration_s < LENGTH_S


def _patched(content: bytes, offset: int, form: str, value: float) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def _times(offset: Callable[[bytes], int], form: str) -> Callable[[bytes, float], bytes]:
    """Multiplies the number at an offset."""

    def lie(content: bytes, factor: float) -> bytes:
        (stated,) = struct.unpack_from(form, content, offset(content))
        value = stated * factor if form == ">d" else int(stated * factor)
        return _patched(content, offset(content), form, value)

    return lie


def _mp4(content: bytes, factor: float) -> bytes:
    for atom, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        content = _times(lambda c, a=atom, o=offset: c.index(a) + o, ">I")(content, factor)  # type: ignore[misc]
    return content


def _flac(content: bytes, factor: float) -> bytes:
    packed = int.from_bytes(content[18:26], "big")
    samples = packed & ((1 << 36) - 1)
    changed = packed - samples + int(samples * factor)
    return content[:18] + changed.to_bytes(8, "big") + content[26:]


_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
LIES: dict[str, Callable[[bytes, float], bytes]] = {
    **{
        name: _times(lambda content: content.index(b"\x44\x89\x88") + 3, ">d")
        for name in ("Matroska, FLAC", "Matroska, AAC", "Matroska, PCM", "WebM")
    },
    "WMA 2": _times(lambda content: content.index(_ASF_FILE_PROPERTIES) + 64, "<Q"),
    "M4A, AAC": _mp4,
    "M4A, ALAC": _mp4,
    "FLAC": _flac,
    "WavPack": _times(lambda _: 12, "<I"),
    "DSF": _times(lambda _: 64, "<Q"),
    "AIFF": _times(lambda content: content.index(b"COMM") + 10, ">I"),
    "WAV, IMA ADPCM": _times(lambda content: content.index(b"fact") + 8, "<I"),
    "WAV, MS ADPCM": _times(lambda content: content.index(b"fact") + 8, "<I"),
    "WAV, mu-law": _times(lambda content: content.index(b"fact") + 8, "<I"),
    "DSDIFF": _times(lambda content: content.index(b"DSD ", 30) + 4, ">Q"),
}


@pytest.mark.parametrize("factor", [0, 0.3, 3])
@pytest.mark.parametrize("name", LIES)
def test_a_header_that_states_a_wrong_length_does_not_shorten_what_is_heard(
    files: Files, decode: Decode, name: str, factor: float
) -> None:
    track = decode(name, LIES[name](files[name][0], factor))
    assert track.duration_s == pytest.approx(LENGTH_S, abs=PADDING_S)
    # One that states more cannot be told from a file that is cut.
    assert factor > 1 or not track.damaged


def _at(content: bytes, name: bytes) -> int:
    return content.index(name) + 4


STREAMED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "WavPack, -1": ("WavPack", lambda c: _patched(c, 12, "<I", 0xFFFF_FFFF)),
    "AIFF, 0": ("AIFF", lambda c: _patched(_patched(c, _at(c, b"SSND"), ">I", 0), 4, ">I", 0)),
    "AIFF, -1": (
        "AIFF", lambda c: _patched(_patched(c, _at(c, b"SSND"), ">i", -1), 4, ">i", -1),
    ),
    **{
        f"WAV, {size:#x}": (
            "WAV", lambda c, s=size: _patched(_patched(c, _at(c, b"data"), "<I", s), 4, "<I", s),  # type: ignore[misc]
        )
        for size in (0, 0x7FFF_FFFF, 0x8000_0024, 0xFFFF_FFFF)
    },
    "RF64, 0": ("RF64", lambda c: _patched(_patched(c, 20, "<Q", 0), 28, "<Q", 0)),
}  # fmt: skip


@pytest.mark.parametrize("kind", STREAMED)
def test_a_file_whose_writer_did_not_know_its_length_is_heard_whole(
    files: Files, decode: Decode, kind: str, tmp_path: Path
) -> None:
    name, change = STREAMED[kind]
    track = decode(name, change(files[name][0]))
    assert track.duration_s == pytest.approx(LENGTH_S, abs=0.01)
    assert not track.damaged
    read = read_file(bytes(tmp_path / f"a.{CODINGS[name].suffix}"))
    assert read.tags.audio.duration_s == pytest.approx(LENGTH_S, abs=0.01)


@pytest.mark.parametrize("name", ["WAV", "RF64", "AIFF", "FLAC", "DSF", "DSDIFF"])
def test_the_length_of_a_cut_file_is_bounded_by_its_bytes_at_once(
    files: Files, tmp_path: Path, name: str
) -> None:
    content, path = files[name][0], tmp_path / f"a.{CODINGS[name].suffix}"
    path.write_bytes(content[: len(content) // 2])
    assert read_file(bytes(path)).tags.audio.duration_s == pytest.approx(LENGTH_S / 2, abs=0.2)
