"""Files of all containers with the tags of many taggers, and what many readers read in them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.tag_reader import read_metadata
from services.extractor.tags.mapping import map_tags
from tests.audio_files import tones_by_suffix
from tests.engines.taggers import Program, Values
from tests.tag_writers import WRITERS

SECONDS = 3
_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "08" * 64 + "ffc0000b080001000101011100"
    "ffc4001f0000010501010101010100000000000000000102030405060708090a0b"
    "ffc400b5100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1"
    "c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a6364"
    "65666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9"
    "bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    "ffda0008010100003f00fbd0ffd9"
)
"""An image of one pixel."""
_COVER = _JPEG.decode("latin-1")
VALUES: Values = {
    "title": "Blåbær nr. 5", "artists": ["Ann Lee", "Ben Ox"], "album": "Høst",
    "album_artist": "Ann Lee", "date": "2001-05-17", "genres": ["Rock", "Jazz"],
}  # fmt: skip
_PLACES: dict[str, dict[str, Sequence[str]]] = {
    "ID3v2.4": {"TIT2": [VALUES["title"]], "TPE1": VALUES["artists"], "TALB": [VALUES["album"]],
                "TPE2": [VALUES["album_artist"]], "TRCK": ["3/12"], "TPOS": ["1/2"],
                "TDRC": [VALUES["date"]], "TCON": VALUES["genres"], "APIC": [_COVER]},
    "Vorbis comments": {
        "TITLE": [VALUES["title"]], "ARTIST": VALUES["artists"], "ALBUM": [VALUES["album"]],
        "ALBUMARTIST": [VALUES["album_artist"]], "TRACKNUMBER": ["3"], "TRACKTOTAL": ["12"],
        "DISCNUMBER": ["1"], "DISCTOTAL": ["2"], "DATE": [VALUES["date"]],
        "GENRE": VALUES["genres"], "METADATA_BLOCK_PICTURE": [_COVER]},
    "APEv2": {"Title": [VALUES["title"]], "Artist": VALUES["artists"], "Album": [VALUES["album"]],
              "Album Artist": [VALUES["album_artist"]], "Track": ["3/12"], "Disc": ["1/2"],
              "Year": [VALUES["date"]], "Genre": VALUES["genres"],
              "Cover Art (Front)": [_COVER]},
    "MP4": {"©nam": [VALUES["title"]], "©ART": VALUES["artists"], "©alb": [VALUES["album"]],
            "aART": [VALUES["album_artist"]], "trkn": ["3/12"], "disk": ["1/2"],
            "©day": [VALUES["date"]], "©gen": VALUES["genres"], "covr": [_COVER]},
    "ASF": {"Title": [VALUES["title"]], "Author": VALUES["artists"],
            "WM/AlbumTitle": [VALUES["album"]], "WM/AlbumArtist": [VALUES["album_artist"]],
            "WM/TrackNumber": ["3/12"], "WM/PartOfSet": ["1/2"], "WM/Year": [VALUES["date"]],
            "WM/Genre": VALUES["genres"], "WM/Picture": [_COVER]},
    "RIFF INFO": {"INAM": [VALUES["title"]], "IART": ["Ann Lee; Ben Ox"],
                  "IPRD": [VALUES["album"]], "ITRK": ["3/12"], "ICRD": [VALUES["date"]],
                  "IGNR": ["Rock"]},
}  # fmt: skip
_PLACES["ID3v2.3"] = {**_PLACES["ID3v2.4"], "TYER+TDAT": [VALUES["date"]]}
del _PLACES["ID3v2.3"]["TDRC"]
_MUTAGEN_KINDS = {
    "ID3v2.4": (".mp3", ".mp2", ".tta", ".wav", ".aiff", ".dsf", ".dff", ".aac", ".ac3", ".eac3"),
    "ID3v2.3": (".mp3", ".wav", ".aiff", ".dsf"),
    "Vorbis comments": (".flac", ".ogg", ".opus", ".spx", ".oga"),
    "APEv2": (".ape", ".wv", ".mpc", ".tak", ".ofr", ".mp3"),
    "MP4": (".m4a", ".m4b", ".alac.m4a"),
    "ASF": (".wma",),
    "RIFF INFO": (".wav",),
}
_FFMPEG_KINDS = {
    ".mp3": "mp3", ".flac": "flac", ".ogg": "ogg", ".opus": "opus", ".m4a": "ipod", ".wav": "wav",
    ".aiff": "aiff", ".wma": "asf", ".wv": "wv", ".tta": "tta", ".mka": "matroska",
    ".webm": "webm", ".alac.m4a": "ipod",
}  # fmt: skip
_FFMPEG_SOURCES = {".mka": ".flac", ".webm": ".opus"}
_FFMPEG_CODECS = {"mp3float": "mp3", "wmav2": "wma", "mp2float": "mp2"}


class Tagged(NamedTuple):
    """A file, the program that wrote its tags, and its suffix."""

    tagger: str
    suffix: str
    path: Path


class Corpus:
    """Untagged files of all containers, and copies of them with tags."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "tones").mkdir()
        self.tones = tones_by_suffix(folder / "tones", SECONDS)
        cover = folder / "cover.jpg"
        cover.write_bytes(_JPEG)
        self.values = {**VALUES, "cover": str(cover)}
        self.files = [*self._by_mutagen(), *self._by_ffmpeg()]

    def tag_with(self, tagger: Program) -> None:
        """Add the files that a tagger takes."""
        copies = [
            Tagged(tagger.name, suffix, self._copy(tagger.name, suffix)) for suffix in self.tones
        ]
        done = tagger.run([tagged.path for tagged in copies], self.values)
        self.files += [tagged for tagged in copies if done.get(str(tagged.path))]

    def _copy(self, tagger: str, suffix: str) -> Path:
        folder = self._folder / tagger.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        path = folder / f"a{suffix}"
        path.write_bytes(self.tones[suffix])
        return path

    def _by_mutagen(self) -> list[Tagged]:
        made = []
        for kind, suffixes in _MUTAGEN_KINDS.items():
            for suffix in suffixes:
                name = f"mutagen {kind}"
                made.append(Tagged(name, suffix, self._copy(name, suffix)))
                WRITERS[kind](made[-1].path, _PLACES[kind])
        return made

    def _by_ffmpeg(self) -> list[Tagged]:
        made = []
        for suffix, kind in _FFMPEG_KINDS.items():
            source = self._copy("FFmpeg", _FFMPEG_SOURCES.get(suffix, suffix))
            path = source.with_name(f"tagged{suffix}")
            _remux(source, path, kind)
            made.append(Tagged("FFmpeg", suffix, path))
        return made


def _remux(source: Path, path: Path, kind: str) -> None:
    """Copy the sound, and add tags as FFmpeg names them."""
    named = {
        "title": VALUES["title"], "artist": "Ann Lee; Ben Ox", "album": VALUES["album"],
        "album_artist": VALUES["album_artist"], "track": "3/12", "disc": "1/2",
        "date": VALUES["date"], "genre": "Rock; Jazz",
    }  # fmt: skip
    with av.open(str(source)) as read, av.open(str(path), "w", format=kind) as written:
        stream = written.add_stream_from_template(read.streams.audio[0])
        written.metadata.update(named)
        if kind in {"ogg", "opus"}:
            stream.metadata.update(named)
        for packet in read.demux(read.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                written.mux(packet)


Facts = dict[str, Any]


def read_by_us(path: Path) -> Facts:
    """What the product reads in a file."""
    with path.open("rb") as file:
        suffix = path.suffix
        metadata = read_metadata(FileBytes(file.fileno(), path.stat().st_size), path, suffix)
    tags = map_tags(metadata.raw, metadata.audio, file_name=path.name)
    audio = tags.audio
    return {
        "title": None if tags.title_is_file_name else tags.title,
        "artists": [name.name for name in tags.artists], "album": tags.release.title,
        "album_artist": tags.release.artist_credit if tags.release.is_artist_told else None,
        "track": [tags.track.number, tags.track.total],
        "disc": [tags.disc.number, tags.disc.total], "date": tags.release_date,
        "genres": list(tags.genres), "duration_s": audio.duration_s, "channels": audio.channels,
        "rate_hz": audio.sample_rate_hz, "codec": audio.codec, "covers": len(metadata.pictures),
    }  # fmt: skip


def _by_ffmpeg(path: Path) -> Facts:
    """What ffprobe shows: it prints what FFmpeg's libavformat reads, as PyAV has it."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.audio[0]
        raw = {**stream.metadata, **container.metadata}
        tags = {name.lower(): value for name, value in raw.items()}
        context = stream.codec_context
        duration_s = container.duration / 1e6 if container.duration else 0.0
        codec = _FFMPEG_CODECS.get(context.name, context.name)
        images = sum(bool(one.disposition & av.stream.Disposition.attached_pic) for one in
                     container.streams.video)  # fmt: skip
        return {
            "title": tags.get("title"), "artists": _listed(tags.get("artist")),
            "album": tags.get("album"), "album_artist": tags.get("album_artist"),
            "track": _position(tags.get("track"), tags.get("tracktotal")),
            "disc": _position(tags.get("disc"), tags.get("disctotal")), "date": tags.get("date"),
            "genres": _listed(tags.get("genre")), "duration_s": duration_s,
            "channels": context.channels, "rate_hz": context.sample_rate,
            "codec": codec.partition("_")[0] if codec.startswith(("pcm_s", "dsd_")) else codec,
            "covers": images,
        }  # fmt: skip


def _listed(written: str | None) -> list[str]:
    return [written] if written else []


def _position(number: str | None, total: str | None) -> list[int | None]:
    first, _, second = (number or "").partition("/")
    return [int(first) if first else None, int(second or total or 0) or None]


def _run(read: Callable[[Path], Facts], files: Sequence[Path]) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for path in files:
        try:
            done[str(path)] = read(path)
        except (av.FFmpegError, IndexError):
            done[str(path)] = None
    return done


FFMPEG = Program("FFmpeg", lambda files, _: _run(_by_ffmpeg, files))

_TOLERANCE_S = {"taglib": 1.0}
"""TagLib's interface for Python has whole seconds."""
_separated = re.compile(r"\s*[;/&]\s*").split


def differences(reader: str, theirs: Facts | None, ours: Facts) -> dict[str, tuple[Any, Any]]:
    """What a reader reads otherwise: by field, its value and ours."""
    if theirs is None:
        return {"file": ("refused", "read")}
    found = {}
    # Only FFmpeg has names of codecs like ours. A value that is missing may be left out.
    for field in ours.keys() - (set() if "codec" in theirs else {"codec"}):
        value = theirs.get(field)
        if field == "duration_s":
            is_same = abs((value or 0) - ours[field]) <= _TOLERANCE_S.get(reader, 0.06)
        elif field in {"track", "disc"}:
            is_same = [number or None for number in value or (None, None)] == ours[field]
        elif field in {"artists", "genres"}:  # most readers show a list as one text
            listed = [part for text in value or () for part in _separated(text)]
            is_same = ours[field] in (listed, list(dict.fromkeys(listed)))
        else:
            is_same = (value or None) == (ours[field] or None)
        if not is_same:
            found[field] = (value, ours[field])
    return found
