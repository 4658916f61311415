"""What a file holds by its bytes: MP3 frames and Ogg pages that are counted."""

import struct
from itertools import chain
from pathlib import Path

import pytest
from mutagen.ogg import OggPage

from services.analyzer.decode.content import content_of
from services.analyzer.decode.parts import Content

_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz, stereo
_MONO_FRAME = b"\xff\xfb\x90\xc0" + bytes(413)
_FRAME_S = 1_152 / 44_100
_ID3V2 = b"ID3\x03\0\0" + bytes([0, 0, 1, 10]) + b"\xff" * 138


def _ape(items: bytes) -> bytes:
    size = (len(items) + 32).to_bytes(4, "little")
    ends = [
        b"APETAGEX" + (2_000).to_bytes(4, "little") + size + (1).to_bytes(4, "little")
        + flags.to_bytes(4, "little") + bytes(8)
        for flags in (0xA000_0000, 0x8000_0000)
    ]  # fmt: skip
    return ends[0] + items + ends[1]


def _xing(frames: int) -> bytes:
    head = _FRAME[:36] + b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return head + bytes(len(_FRAME) - len(head))


def _content(tmp_path: Path, content: bytes, name: str = "a.mp3") -> Content:
    path = tmp_path / name
    path.write_bytes(content)
    return content_of(bytes(path))


@pytest.mark.parametrize(
    ("content", "frames", "parts", "is_damaged"),
    [
        (_FRAME * 50, 50, 1, False),
        (_ID3V2 + _FRAME * 50, 50, 1, False),
        (_xing(50) + _FRAME * 50, 50, 1, False),
        (_FRAME * 50 + b"TAG" + bytes(125), 50, 1, False),
        (_FRAME * 50 + _ape(b"\xff\xfb\x90" * 9), 50, 1, False),
        (_FRAME * 50 + b"LYRICSBEGIN words words 000011LYRICS200", 50, 1, False),
        (_FRAME * 50 + bytes(2_000), 50, 1, False),
        (b"what was before" + _FRAME * 50, 50, 1, False),
        (_FRAME * 50 + b"what comes after", 50, 1, False),
        (_xing(50) + _FRAME * 50 + _xing(30) + _FRAME * 30, 80, 2, False),
        (_FRAME * 50 + _ID3V2 + _FRAME * 30, 80, 2, False),
        (_FRAME * 50 + _MONO_FRAME * 30, 80, 2, False),
        (_FRAME * 50 + b"\xaa" * 4_000 + _FRAME * 30, 80, 1, True),
        (_FRAME * 50 + _FRAME[:200], 50, 1, True),
        (_xing(50) + _FRAME * 20, 50, 1, True),  # the end is cut off
    ],
    ids=[
        "plain", "ID3v2", "Xing", "ID3v1", "APE", "Lyrics3", "padding", "before", "after",
        "joined", "joined at a tag", "mono from stereo", "hole", "half a frame", "cut",
    ],
)  # fmt: skip
def test_mp3_frames_are_counted(
    tmp_path: Path, content: bytes, frames: int, parts: int, is_damaged: bool
) -> None:
    found = _content(tmp_path, content)
    assert found.container == "mp3"
    assert found.duration_s == pytest.approx(frames * _FRAME_S)
    assert (len(found.parts), found.is_damaged) == (parts, is_damaged)


@pytest.mark.parametrize("frames", [20_000, 2_513, 2_514, 2_515])
def test_frames_are_counted_over_any_number_of_reads(tmp_path: Path, frames: int) -> None:
    found = _content(tmp_path, _xing(frames) + _FRAME * frames)
    assert found.duration_s == pytest.approx(frames * _FRAME_S)
    assert (len(found.parts), found.is_damaged, found.is_length_stated) == (1, False, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"no music at all\n" * 400, b"\xff\xf1\x50\x80" + bytes(400), _FRAME],
    ids=["empty", "a byte", "text", "ADTS", "one frame"],
)
def test_what_is_no_mpeg_audio_has_no_parts(tmp_path: Path, content: bytes) -> None:
    assert not _content(tmp_path, content).parts


def _link(serial: int, packet: bytes, samples: int, pages: int = 20) -> list[bytes]:
    """The pages of a link; the last one ends after so many samples."""
    written = []
    for number, content in enumerate([packet, b"comments", *[bytes(1_000)] * pages]):
        page = OggPage()
        page.serial, page.sequence, page.packets = serial, number, [content]
        page.first, page.last = number == 0, number == pages + 1
        page.position = samples * max(0, number - 1) // pages
        written.append(page.write())
    return written


def _vorbis(rate_hz: int, channels: int) -> bytes:
    return b"\x01vorbis" + bytes(4) + bytes([channels]) + rate_hz.to_bytes(4, "little") + bytes(14)


_OPUS = b"OpusHead" + struct.pack("<BBHI3x", 1, 2, 312, 44_100)


def test_the_links_of_a_chained_ogg_are_its_parts(tmp_path: Path) -> None:
    links = [
        _link(1, _vorbis(44_100, 2), 441_000),
        _link(2, _vorbis(48_000, 1), 96_000),
        _link(3, _OPUS, 48_312),
    ]
    found = _content(tmp_path, b"".join(chain(*links)), "a.ogg")
    assert [part.duration_s for part in found.parts] == [10, 2, 1]
    assert [(part.rate_hz, part.channels) for part in found.parts] == [
        (44_100, 2), (48_000, 1), (48_000, 2),
    ]  # fmt: skip
    assert (found.duration_s, found.is_damaged) == (13, False)


def test_bytes_between_the_pages_are_damage(tmp_path: Path) -> None:
    pages = _link(1, _vorbis(44_100, 2), 441_000)
    pages[7] = b"\xaa" * len(pages[7])
    found = _content(tmp_path, b"".join(pages), "a.ogg")
    assert (found.duration_s, found.is_damaged) == (10, True)


def test_a_recording_of_a_broadcast_does_not_begin_at_granule_0(tmp_path: Path) -> None:
    pages = _link(1, _vorbis(44_100, 2), 3_600 * 44_100, pages=3_600)
    found = _content(tmp_path, b"".join([*pages[:2], *pages[-10:]]), "a.ogg")
    assert found.duration_s == pytest.approx(9)
