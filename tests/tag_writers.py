"""Writers of tags, one for each column of `docs/tags.md`, for files that have no tags yet."""

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mutagen
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.asf._attrs import ASFByteArrayAttribute
from mutagen.flac import Picture
from mutagen.id3 import ID3, Encoding, Frames, Frames_2_2
from mutagen.mp4 import MP4Cover, MP4FreeForm

Places = Mapping[str, Sequence[str]]
"""Values by place. An image is its bytes in Latin-1."""
Write = Callable[[Path, Places], None]

_OWN_CHUNK = (".wav", ".aiff", ".dsf", ".dff")
_GENRES = {"Rock": 17}
_FLAGS = ("cpil", "pcst", "pgap")
_NUMBERS = ("tmpo", "©mvi", "©mvc", "stik", "rtng", "hdvd", "shwm", "tves", "tvsn")


def frames(place: str, values: Sequence[str]) -> list[Any]:
    """ID3 frames: `TIT2`, `TXXX:name`, `TIPL:role`, `TYER+TDAT`; three letters are ID3v2.2's."""
    if "+" in place:
        year, month, day = values[0].split("-")
        first, second = place.split("+")
        return [*frames(first, [year]), *frames(second, [day + month])]
    name, _, rest = place.partition(":")
    kind = {**Frames, **Frames_2_2}[name]
    written = kind.__mro__[1].__name__ if name in Frames_2_2 else name
    make = _FRAMES.get(written, _url if name.startswith("W") else _text)
    return [kind(**{"encoding": Encoding.UTF16, **make(rest, values)})]


def _text(_: str, values: Sequence[str]) -> dict[str, Any]:
    return {"text": list(values)}


def _url(_: str, values: Sequence[str]) -> dict[str, Any]:
    return {"url": values[0]}


def _people(role: str, values: Sequence[str]) -> dict[str, Any]:
    return {"people": [[role, value.partition(" (")[0]] for value in values]}


def _rating(_: str, values: Sequence[str]) -> dict[str, Any]:
    rating, _, count = values[0].partition("/")
    return {"email": "me@example.org", "rating": int(rating), "count": int(count)}


def _level(scope: str, values: Sequence[str]) -> dict[str, Any]:
    level = float(values[0].removesuffix(" dB"))
    is_gain = level < 0
    return {"desc": scope, "channel": 1, "gain": level if is_gain else 0.0, "peak": abs(level) % 1}


def _synced(_: str, values: Sequence[str]) -> dict[str, Any]:
    stamp, words = values[0][1:].split("]")
    ms = round(float(stamp.removeprefix("00:")) * 1_000)
    return {"lang": "eng", "desc": "", "format": 2, "type": 1, "text": [(words, ms)]}


def _image(_: str, values: Sequence[str]) -> dict[str, Any]:
    return {"mime": "JPG", "type": 3, "desc": "", "data": values[0].encode("latin-1")}


_FRAMES: dict[str, Callable[[str, Sequence[str]], dict[str, Any]]] = {
    "TXXX": lambda name, values: {"desc": name, "text": list(values)},
    "COMM": lambda _, values: {"lang": "eng", "desc": "", "text": list(values)},
    "USLT": lambda _, values: {"lang": "eng", "desc": "", "text": values[0]},
    "UFID": lambda owner, values: {"owner": owner, "data": values[0].encode()},
    "PCNT": lambda _, values: {"count": int(values[0])},
    "PCST": lambda _, values: {"value": int(values[0])},
    "POPM": _rating, "RVA2": _level, "SYLT": _synced, "APIC": _image,
    "TIPL": _people, "TMCL": _people, "IPLS": _people,
}  # fmt: skip


def id3(version: int) -> Write:
    """ID3v2.3 or 2.4, at the beginning or in a chunk of its own."""

    def write(path: Path, places: Places) -> None:
        tags: Any = ID3()
        file: Any = None
        if path.suffix in _OWN_CHUNK:
            file = mutagen.File(path)
            file.add_tags()
            tags = file.tags
        for place, values in places.items():
            for frame in frames(place, values):
                tags.add(frame)
        # No separator: several values of ID3v2.3 stay several.
        (file or tags).save(path, v2_version=version, v23_sep=None)

    return write


def id3_2_2(path: Path, places: Places) -> None:
    """ID3v2.2, which mutagen reads but does not write: frames of three letters."""
    content = b""
    for place, values in places.items():
        for frame in frames(place, values):
            data = frame._writeData()
            content += type(frame).__name__.encode() + struct.pack(">I", len(data))[1:] + data
    size = bytes(len(content) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\2\0\0" + size + content + path.read_bytes())


def id3_1(path: Path, places: Places) -> None:
    """ID3v1.1: 128 bytes at the end."""
    fields = {place: values[0].encode("latin-1") for place, values in places.items()}
    tag = b"TAG"
    for place, size in (("title", 30), ("artist", 30), ("album", 30), ("year", 4), ("comment", 28)):
        tag += fields.get(place, b"").ljust(size, b"\0")
    genre = _GENRES[places["genre"][0]] if "genre" in places else 255
    tag += bytes([0, int(fields.get("track", b"0")), genre])
    path.write_bytes(path.read_bytes() + tag)


def vorbis(path: Path, places: Places) -> None:
    """Vorbis comments, in FLAC and Ogg."""
    file: Any = mutagen.File(path)
    for place, values in places.items():
        content = values[0].encode("latin-1", "replace")
        if place == "METADATA_BLOCK_PICTURE":
            picture = Picture()
            picture.type, picture.data = 3, content
            content = picture.write()
        is_image = place in {"METADATA_BLOCK_PICTURE", "COVERART"}
        file[place] = [base64.b64encode(content).decode()] if is_image else list(values)
    file.save()


def ape(path: Path, places: Places) -> None:
    """APEv2, at the end."""
    tags = APEv2()
    for place, values in places.items():
        if place.startswith("Cover Art"):
            tags[place] = APEValue(b"a.jpg\0" + values[0].encode("latin-1"), BINARY)
        else:
            tags[place] = list(values)
    tags.save(path)


def mp4(path: Path, places: Places) -> None:
    """iTunes' atoms; `----:name` is one of iTunes' free ones."""
    file: Any = mutagen.File(path)
    for place, values in places.items():
        if place.startswith("----:"):
            name = f"----:com.apple.iTunes:{place.removeprefix('----:')}"
            file[name] = [MP4FreeForm(value.encode()) for value in values]
        elif place in {"trkn", "disk"}:
            number, total = values[0].split("/")
            file[place] = [(int(number), int(total))]
        elif place in _NUMBERS:
            file[place] = [int(values[0])]
        elif place == "covr":
            file[place] = [MP4Cover(values[0].encode("latin-1"))]
        else:
            file[place] = bool(int(values[0])) if place in _FLAGS else list(values)
    file.save()


def asf(path: Path, places: Places) -> None:
    """ASF attributes."""
    file: Any = mutagen.File(path)
    for place, values in places.items():
        attributes: list[Any] = list(values)
        if place == "WM/Picture":
            content = values[0].encode("latin-1")
            head = struct.pack("<BI", 3, len(content)) + "image/jpeg\0\0".encode("utf-16-le")
            attributes = [ASFByteArrayAttribute(head + content)]
        file[place] = attributes
    file.save()


def _chunks(order: str, places: Places) -> bytes:
    written = b""
    for place, values in places.items():
        content = values[0].encode()
        written += place.ljust(4).encode() + struct.pack(f"{order}I", len(content))
        written += content + b"\0" * (len(content) % 2)
    return written


def _append(path: Path, order: str, chunks: bytes) -> None:
    whole = path.read_bytes() + chunks
    path.write_bytes(whole[:4] + struct.pack(f"{order}I", len(whole) - 8) + whole[8:])


def riff_info(path: Path, places: Places) -> None:
    """A LIST INFO chunk."""
    info = b"INFO" + _chunks("<", places)
    _append(path, "<", b"LIST" + struct.pack("<I", len(info)) + info)


def aiff_texts(path: Path, places: Places) -> None:
    """AIFF's text chunks."""
    _append(path, ">", _chunks(">", places))


WRITERS: Mapping[str, Write] = {
    "ID3v2.4": id3(4),
    "ID3v2.3": id3(3),
    "ID3v2.2": id3_2_2,
    "ID3v1": id3_1,
    "Vorbis comments": vorbis,
    "APEv2": ape,
    "MP4": mp4,
    "ASF": asf,
    "RIFF INFO": riff_info,
    "AIFF": aiff_texts,
}
"""Writers by the document's columns."""
ONE_VALUE = frozenset(("ID3v1", "RIFF INFO", "AIFF"))
"""Columns whose places hold one value."""
FREE_NAMES = {"ID3v2.4": "TXXX:", "Vorbis comments": "", "APEv2": "", "MP4": "----:", "ASF": ""}
"""Columns that allow any name, and the prefix of such a name."""
