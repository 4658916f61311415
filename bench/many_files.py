"""Very many small files of music, quickly: some KB each, tags of their own, a sound of its own.

Ten tracks an album, two albums an artist, every third album with a cover beside it; MP3 and FLAC
by turns. The tags are put together by hand and the sound is one clip of each format, with some
bytes changed that nobody decodes here: not for an analysis. `bench.generated_library` makes those.
"""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soniquebay.demo.encoding import encode
from soniquebay.demo.rendering import cover_image

_RATE_HZ = 44_100
_CLIP_S = 0.25
_TRACKS_AN_ALBUM, _ALBUMS_AN_ARTIST, _ALBUMS_A_COVER = 10, 2, 3
_COVERS = 20
_GENRES = 120
_VORBIS_COMMENT, _LAST_BLOCK = 4, 0x80


def generate_many(folder: Path, files: int) -> None:
    """Write so many files below a folder; the same number gives the same ones."""
    mp3, flac = _clips()
    covers = [cover_image(f"Cover {number}") for number in range(_COVERS)]
    for album in range((files + _TRACKS_AN_ALBUM - 1) // _TRACKS_AN_ALBUM):
        artist = album // _ALBUMS_AN_ARTIST
        place = folder / f"Artist {artist:05}" / f"Album {album:06}"
        place.mkdir(parents=True)
        if album % _ALBUMS_A_COVER == 0:
            (place / "cover.jpg").write_bytes(covers[album % _COVERS])
        for track in range(min(_TRACKS_AN_ALBUM, files - album * _TRACKS_AN_ALBUM)):
            number = album * _TRACKS_AN_ALBUM + track
            tags = list(_tags(number, track, album, artist))
            if album % 2:
                (place / f"{track + 1:02}.mp3").write_bytes(_id3(tags) + _marked(mp3, number))
            else:
                (place / f"{track + 1:02}.flac").write_bytes(_flac(flac, tags, number))


def _tags(number: int, track: int, album: int, artist: int) -> Iterator[tuple[str, str, str]]:
    """Name in ID3, name in Vorbis comments, value."""
    yield "TIT2", "TITLE", f"Title {number} of {number % 977}"
    yield "TPE1", "ARTIST", f"Artist {artist}"
    yield "TPE2", "ALBUMARTIST", f"Artist {artist}"
    yield "TALB", "ALBUM", f"Album {album}"
    yield "TRCK", "TRACKNUMBER", str(track + 1)
    yield "TCON", "GENRE", f"Genre {artist % _GENRES}"
    yield "TDRC", "DATE", str(1950 + album % 75)


def _clips() -> tuple[bytes, bytes]:
    """A quarter of a second as MP3 and as FLAC."""
    t = np.arange(round(_CLIP_S * _RATE_HZ)) / _RATE_HZ
    sound = 0.2 * np.sin(2 * np.pi * 440 * t)[:, None]
    with tempfile.TemporaryDirectory() as work:
        found = []
        for ending in ("mp3", "flac"):
            path = Path(work) / f"clip.{ending}"
            encode(path, sound, _RATE_HZ)
            found.append(path.read_bytes())
    return found[0], found[1]


def _marked(sound: bytes, number: int) -> bytes:
    """The number in the last bytes."""
    return sound[:-8] + number.to_bytes(8, "big")


def _id3(tags: list[tuple[str, str, str]]) -> bytes:
    """An ID3v2.4 tag, texts in UTF-8."""
    frames = b"".join(
        name.encode() + _synchsafe(len(value) + 1) + b"\0\0\3" + value.encode()
        for name, _, value in tags
    )
    return b"ID3\4\0\0" + _synchsafe(len(frames)) + frames


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _flac(clip: bytes, tags: list[tuple[str, str, str]], number: int) -> bytes:
    """The clip's stream info, its sound, and a block of comments between them."""
    comments = [f"{name}={value}".encode() for _, name, value in tags]
    body = struct.pack("<II", 0, len(comments)) + b"".join(
        struct.pack("<I", len(comment)) + comment for comment in comments
    )
    info = clip[:4] + b"\0" + clip[5:42]  # "fLaC", then one block of 34 bytes that is not the last
    block = bytes([_VORBIS_COMMENT | _LAST_BLOCK]) + len(body).to_bytes(3, "big") + body
    return info + block + _marked(clip[_end_of_blocks(clip) :], number)


def _end_of_blocks(clip: bytes) -> int:
    at = 4
    while True:
        is_last = clip[at] & _LAST_BLOCK
        at += 4 + int.from_bytes(clip[at + 1 : at + 4], "big")
        if is_last:
            return at
