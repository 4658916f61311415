"""Generates music libraries: any number of files, five formats, varied tags, some covers.

    python -m bench.generated_library DIR --files 3000 --seed 1

The same seed gives the same files. A few short clips are encoded once. Each file is a copy of
a clip with its own tags and an inaudible mark, so thousands take seconds.
"""

import argparse
import base64
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
from mutagen import id3, mp4
from mutagen.flac import Picture
from numpy.typing import NDArray

from bench.watermark import watermark
from soniquebay.demo.encoding import encode
from soniquebay.demo.rendering import cover_image

FORMATS = ("mp3", "flac", "ogg", "opus", "m4a")
_RATE_HZ = 44_100
_CLIP_S = 3.0
_CLIPS = 3
_WORDS = """
river stone light over under golden night window paper road silver ocean house fire
winter Ärger über Señal canción été прощай звезда 夜 海 の歌 λόγος μέρα naïve crème
""".split()  # noqa: SIM905 - a list of forty strings is harder to read
_GENRES = ("Rock", "Jazz", "Electronic", "Hip-Hop", "Classical", "Ambient", "Folk", "Métal")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a generated file."""

    title: str | None
    artists: list[str]
    credit: str
    album: str | None
    album_artist: str | None
    genres: list[str]
    date: str | None
    track: tuple[int, int]
    disc: tuple[int, int] | None
    cover: bytes | None


def generate(folder: Path, files: int, seed: int = 1, length_s: float = _CLIP_S) -> list[Path]:
    """Write a library of `files` files of `length_s` each; their paths."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as work:
        clips = _Clips(Path(work), seed, length_s)
        paths: list[Path] = []
        album = 0
        while len(paths) < files:
            album += 1
            size = min(files - len(paths), chance.randint(6, 14))
            paths += _album(folder, chance, clips, album, size)
    return paths


class _Clips:
    """A few clips of each format, encoded when first needed; each file gets a marked copy."""

    def __init__(self, folder: Path, seed: int, length_s: float) -> None:
        self._folder = folder
        self._sounds = _sounds(seed, length_s)
        self._encoded: dict[tuple[str, int], bytes] = {}
        self._files = 0

    def next(self, ending: str, chance: random.Random) -> bytes:
        """The content of the next file, without tags."""
        self._files += 1
        clip = chance.randrange(_CLIPS)
        if ending == "flac":  # encoding takes milliseconds: mark the samples
            return self._encode(ending, _marked(self._sounds[clip], self._files))
        if (ending, clip) not in self._encoded:
            self._encoded[ending, clip] = self._encode(ending, self._sounds[clip])
        return watermark(self._encoded[ending, clip], ending, self._files)

    def _encode(self, ending: str, sound: NDArray[np.float64]) -> bytes:
        path = self._folder / f"clip.{ending}"
        encode(path, np.stack([sound, sound], axis=1), _RATE_HZ)
        return path.read_bytes()


def _sounds(seed: int, length_s: float) -> list[NDArray[np.float64]]:
    noise = np.random.default_rng(seed)
    t = np.arange(round(length_s * _RATE_HZ)) / _RATE_HZ
    sounds = []
    for number in range(_CLIPS):
        tones = [
            np.sin(2 * np.pi * 220 * 2 ** ((number * 5 + step) / 12) * t) for step in (0, 4, 7)
        ]
        beat = (t * (2 + number) % 1 < 0.05) * noise.standard_normal(len(t))
        sounds.append(0.1 * sum(tones) + 0.2 * beat)
    return sounds


def _marked(sound: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Write the number into the lowest bits of the first samples."""
    marked = sound.copy()
    bits = [number >> bit & 1 for bit in range(24)]
    marked[: len(bits)] += np.asarray(bits) / 2**15
    return marked


def _words(chance: random.Random, least: int, most: int) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(least, most))).capitalize()


def _album(
    folder: Path, chance: random.Random, clips: _Clips, number: int, size: int
) -> list[Path]:
    """Write an album in one format; some have a folder cover or two discs, or are compilations."""
    artist, title = f"{_words(chance, 1, 2)} {number % 97}", f"{_words(chance, 1, 4)} {number}"
    various, double = chance.random() < 0.1, chance.random() < 0.15
    date = chance.choice(
        [str(chance.randint(1955, 2025)), f"{chance.randint(1970, 2025)}-05-17", None]
    )
    cover = cover_image(title) if chance.random() < 0.3 else None
    ending = FORMATS[number % len(FORMATS)]
    album_folder = folder / ("Various Artists" if various else artist) / title
    paths = []
    for index in range(size):
        disc = 1 + (index >= size // 2) if double else None
        performer = f"{_words(chance, 1, 2)} {index}" if various else artist
        guest = _words(chance, 1, 1) + " Guest" if chance.random() < 0.1 else None
        credit = f"{performer} feat. {guest}" if guest else performer
        tags = Tags(
            title=_words(chance, 1, 5) if chance.random() > 0.03 else None,
            artists=[performer, guest] if guest else [performer],
            credit=credit,
            album=title if chance.random() > 0.03 else None,
            album_artist="Various Artists" if various else artist,
            genres=chance.sample(_GENRES, chance.randint(0, 2)),
            date=date,
            track=(index + 1, size),
            disc=(disc, 2) if disc else None,
            cover=cover if cover and index % 2 else None,
        )
        path = (album_folder / f"CD{disc}" if disc else album_folder) / f"{index + 1:02d}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clips.next(ending, chance))
        write_tags(path, tags)
        paths.append(path)
    if chance.random() < 0.3:
        (album_folder / "cover.jpg").write_bytes(cover_image(title + " front"))
    return paths


def write_tags(path: Path, tags: Tags) -> None:
    """Write tags as MusicBrainz Picard does."""
    file: Any = mutagen.File(path)
    if path.suffix == ".mp3":
        _write_id3(file, tags)
    elif path.suffix == ".m4a":
        _write_mp4(file, tags)
    else:
        _write_vorbis(file, tags, is_flac=path.suffix == ".flac")
    file.save()


def _write_id3(file: Any, tags: Tags) -> None:
    if file.tags is None:
        file.add_tags()
    texts: dict[Any, list[str | None]] = {
        id3.TIT2: [tags.title], id3.TPE1: [tags.credit], id3.TALB: [tags.album],
        id3.TPE2: [tags.album_artist], id3.TCON: list(tags.genres), id3.TDRC: [tags.date],
        id3.TRCK: [f"{tags.track[0]}/{tags.track[1]}"],
        id3.TPOS: [f"{tags.disc[0]}/{tags.disc[1]}"] if tags.disc else [],
    }  # fmt: skip
    for frame, values in texts.items():
        if any(values):
            file.tags.add(frame(encoding=1 if len(values) > 1 else 3, text=values))
    file.tags.add(id3.TXXX(encoding=3, desc="ARTISTS", text=tags.artists))
    if tags.cover:
        file.tags.add(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=tags.cover))


def _write_mp4(file: Any, tags: Tags) -> None:
    texts = {
        "\xa9nam": tags.title, "\xa9ART": tags.credit, "\xa9alb": tags.album,
        "aART": tags.album_artist, "\xa9day": tags.date,
    }  # fmt: skip
    for name, value in texts.items():
        if value:
            file[name] = [value]
    file["\xa9gen"] = tags.genres
    file["trkn"] = [tags.track]
    file["----:com.apple.iTunes:ARTISTS"] = [mp4.MP4FreeForm(a.encode()) for a in tags.artists]
    if tags.disc:
        file["disk"] = [tags.disc]
    if tags.cover:
        file["covr"] = [mp4.MP4Cover(tags.cover)]


def _write_vorbis(file: Any, tags: Tags, *, is_flac: bool) -> None:
    texts: dict[str, list[str | None]] = {
        "title": [tags.title], "artist": [tags.credit], "artists": list(tags.artists),
        "album": [tags.album], "albumartist": [tags.album_artist], "genre": list(tags.genres),
        "date": [tags.date],
        "tracknumber": [str(tags.track[0])], "tracktotal": [str(tags.track[1])],
        "discnumber": [str(tags.disc[0])] if tags.disc else [],
        "disctotal": [str(tags.disc[1])] if tags.disc else [],
    }  # fmt: skip
    for name, values in texts.items():
        if any(values):
            file[name] = values
    if tags.cover:
        picture = Picture()
        picture.type, picture.mime, picture.data = 3, "image/jpeg", tags.cover
        if is_flac:
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]


def main() -> None:
    """Write a library from the command line."""
    parser = argparse.ArgumentParser(description="Generate a music library.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(
        f"{len(generate(options.folder, options.files, options.seed)):,} files in {options.folder}"
    )


if __name__ == "__main__":
    main()
