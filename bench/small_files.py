"""Generates very many small music files quickly: some KB each, with unique tags and content.

Ten tracks an album, two albums an artist, a cover image beside every third album; albums are MP3
and FLAC in turn. The tags are encoded by hand, and the sound is one clip of each format with a
number written into its last bytes, so it cannot be analysed; `bench.generated_library` makes files
that can.
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


def generate_small_files(folder: Path, files: int) -> None:
    """Write so many files below a folder; the same number gives the same files."""
    mp3, flac = _clips()
    covers = [cover_image(f"Cover {number}") for number in range(_COVERS)]
    for album in range((files + _TRACKS_AN_ALBUM - 1) // _TRACKS_AN_ALBUM):
        artist = album // _ALBUMS_AN_ARTIST
        album_folder = folder / f"Artist {artist:05}" / f"Album {album:06}"
        album_folder.mkdir(parents=True)
        if album % _ALBUMS_A_COVER == 0:
            (album_folder / "cover.jpg").write_bytes(covers[album % _COVERS])
        for track in range(min(_TRACKS_AN_ALBUM, files - album * _TRACKS_AN_ALBUM)):
            number = album * _TRACKS_AN_ALBUM + track
            tags = list(_tags(number, track, album, artist))
            if album % 2:
                (album_folder / f"{track + 1:02}.mp3").write_bytes(
                    _id3(tags) + _marked(mp3, number)
                )
            else:
                (album_folder / f"{track + 1:02}.flac").write_bytes(_flac(flac, tags, number))


def _tags(number: int, track: int, album: int, artist: int) -> Iterator[tuple[str, str, str]]:
    """Each tag: its name in ID3, its name in Vorbis comments, its value."""
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
        clips = []
        for ending in ("mp3", "flac"):
            path = Path(work) / f"clip.{ending}"
            encode(path, sound, _RATE_HZ)
            clips.append(path.read_bytes())
    return clips[0], clips[1]


def _marked(sound: bytes, number: int) -> bytes:
    """Write the number into the last bytes."""
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
    """The clip's stream info, a block of Vorbis comments, and the clip's marked frames."""
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
