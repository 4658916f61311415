"""Chapters as FFmpeg, Nero's programs, QuickTime and ID3 taggers write them."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from mutagen.id3 import CHAP, CTOC, ID3, TIT2, CTOCFlags

from services.extractor.read.chapters import (
    chapters_of,
    matroska_chapters,
    mp4_chapters,
    take_comment_chapters,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.file_reader import read_file
from services.extractor.read.jobs import read_chunk

RATE_HZ = 16_000
LENGTH_S = 12
TITLES = ("Prologue", "Zweites Kapitel: Über", "第三章")
CODECS = {
    ".m4b": ("aac", "fltp"), ".m4a": ("alac", "s16p"), ".mka": ("flac", "s16"),
    ".opus": ("libopus", "s16"), ".mp3": ("mp3", "fltp"), ".webm": ("libopus", "s16"),
    ".flac": ("flac", "s16"), ".wv": ("wavpack", "s16p"), ".tta": ("tta", "s16"),
}  # fmt: skip


def write(path: Path, titles: tuple[str, ...] = TITLES) -> Path:
    """A file of FFmpeg's with a chapter each four seconds."""
    codec, sample_format = CODECS[path.suffix]
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(str(path), "w") as container:
        container.set_chapters([
            {
                "id": n, "start": n * 4, "end": n * 4 + 4, "time_base": Fraction(1),
                "metadata": {"title": title},
            }
            for n, title in enumerate(titles)
        ])  # fmt: skip
        stream = container.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.format = "mono", sample_format
        samples = (np.sin(np.arange(rate_hz * LENGTH_S) / 9) * 9_000).astype(np.int16)
        resampler = av.AudioResampler(sample_format, "mono", rate_hz)
        for start in range(0, len(samples), 1_024):
            block = samples[None, start : start + 1_024]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, start
            for each in resampler.resample(frame):
                container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return path


def found(path: Path) -> list[tuple[str, float, float]]:
    """The chapters that are read, to a hundredth of a second."""
    chapters = read_file(bytes(path)).tags.chapters
    return [(title, round(start_s, 2), round(end_s, 2)) for title, start_s, end_s in chapters]


WITH_CHAPTERS = (".m4b", ".m4a", ".mka", ".opus", ".mp3", ".webm")
"""The containers that FFmpeg writes chapters into."""
EXPECTED = [(title, n * 4, n * 4 + 4) for n, title in enumerate(TITLES)]


@pytest.mark.parametrize("ending", WITH_CHAPTERS)
def test_the_chapters_that_ffmpeg_writes_are_read(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"book{ending}")
    chapters = found(path)
    assert [each[:2] for each in chapters] == [each[:2] for each in EXPECTED]
    assert [end_s for _, _, end_s in chapters] == pytest.approx([4, 8, 12], abs=0.1)
    (file,) = read_chunk(str(tmp_path), [path.name]).files
    assert file.part is None
    assert "chapter001" not in (file.track_fields or {}).get("other_tags", {})


@pytest.mark.parametrize("ending", CODECS)
def test_a_file_without_chapters_has_none(tmp_path: Path, ending: str) -> None:
    assert found(write(tmp_path / f"song{ending}", ())) == []


def atom(name: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + name + content


def nero(version: int, *titles: bytes) -> bytes:
    entries = [struct.pack(">QB", n * 40_000_000, len(t)) + t for n, t in enumerate(titles)]
    reserved = bytes(4) if version else b""
    return atom(b"chpl", bytes([version, 0, 0, 0]), reserved, bytes([len(titles)]), *entries)


@pytest.mark.parametrize("version", [0, 1])
def test_neros_atom_is_read_in_both_versions(tmp_path: Path, version: int) -> None:
    movie = atom(b"moov", atom(b"udta", nero(version, b"One", b"Tw\xc3\xb6", b"\xff")))
    assert chapters_in(tmp_path, movie) == [(0, None, "One"), (4, None, "Twö"), (8, None, "\ufffd")]


@pytest.mark.parametrize("cut", [1, 3, 9, 12, 20])
def test_a_cut_atom_has_the_chapters_that_are_left(tmp_path: Path, cut: int) -> None:
    content = nero(1, b"One", b"Two")[8:-cut]
    movie = atom(b"moov", atom(b"udta", atom(b"chpl", content)))
    assert len(chapters_in(tmp_path, movie)) <= 2


def chapters_in(tmp_path: Path, content: bytes) -> list[tuple[float, float | None, str]]:
    path = tmp_path / "a.m4b"
    path.write_bytes(content)
    with path.open("rb") as file:
        return mp4_chapters(FileBytes(file.fileno(), len(content)), 0)


def test_id3_chapters_are_those_of_the_table_of_contents(tmp_path: Path) -> None:
    path = write(tmp_path / "book.mp3", ())
    tags = ID3(path)
    for n, title in enumerate(TITLES):
        times = {"start_time": n * 4_000, "end_time": n * 4_000 + 4_000}
        tags.add(CHAP(element_id=f"c{n}", sub_frames=[TIT2(text=[title])], **times))
    tags.add(CHAP(element_id="not listed", start_time=1_000, end_time=2_000, sub_frames=[]))
    listed = [f"c{n}" for n in range(3)]
    flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED
    tags.add(CTOC(element_id="toc", flags=flags, child_element_ids=listed, sub_frames=[]))
    tags.save(path)
    assert found(path) == EXPECTED


def ebml(kind: int, content: bytes) -> bytes:
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return name + (len(content) | 1 << 28).to_bytes(4, "big") + content


def test_of_matroskas_editions_the_default_one_counts_without_hidden_chapters() -> None:
    def chapter(start_s: int, title: bytes, *more: bytes) -> bytes:
        shown = ebml(0x80, ebml(0x85, title))
        return ebml(0xB6, ebml(0x91, (start_s * 10**9).to_bytes(8, "big")) + shown + b"".join(more))

    first = ebml(0x45B9, chapter(0, b"First"))
    hidden = chapter(2, b"Hidden", ebml(0x98, b"\1"))
    nested = chapter(3, b"Outer", chapter(4, b"Inner"))
    default = ebml(0x45B9, ebml(0x45DB, b"\1") + chapter(1, b"Default") + hidden + nested)
    assert matroska_chapters(first + default) == [(1, None, "Default"), (3, None, "Outer")]
    assert matroska_chapters(first) == [(0, None, "First")]
    assert matroska_chapters(b"") == []


def test_chapters_in_comments_leave_the_tags() -> None:
    raw = {
        "chapter001": ["00:00:00.000"], "chapter001name": ["One"], "chapter001url": ["x"],
        "chapter002": ["01:02:03.500"], "chapter010": ["soon"], "title": ["T"],
    }  # fmt: skip
    assert take_comment_chapters(raw) == [(0, None, "One"), (3_723.5, None, "")]
    assert raw == {"title": ["T"]}
    # What only looks like them is a tag like any other.
    other = {"chapter001": ["A long time ago"], "chapter": ["7"]}
    assert take_comment_chapters(other) == []
    assert len(other) == 2


def test_chapters_are_in_order_named_and_end_where_the_next_one_begins() -> None:
    written = [(8.0, 3.0, ""), (0.0, None, " One\n"), (4.0, 6.0, "Two"), (90.0, None, "Behind")]
    assert chapters_of(written, 10) == (("One", 0, 4), ("Two", 4, 6), ("Chapter 3", 8, 10))
    assert chapters_of([(1.0, None, "x")], 0) == (("x", 1, 1),)


def test_a_cue_sheet_of_an_audiobook_makes_chapters_and_no_tracks(tmp_path: Path) -> None:
    write(tmp_path / "book.m4b", ())
    lines = [
        f'TRACK {n:02} AUDIO\nTITLE "{title}"\nINDEX 01 00:{n * 4 - 4:02}:00'
        for n, title in enumerate(TITLES, start=1)
    ]
    (tmp_path / "book.cue").write_text("\n".join(['FILE "book.m4b" MP4', *lines]))
    (file,) = read_chunk(str(tmp_path), ["book.m4b"]).files
    assert file.part is None
    assert file.track_fields is not None
    assert [each.title for each in file.track_fields["chapters"]] == list(TITLES)
