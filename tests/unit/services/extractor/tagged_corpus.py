"""Music files with tags of all kinds, and damaged ones. The same seed gives the same files."""

import base64
import io
import random
import struct
from collections.abc import Iterator
from typing import Any

import mutagen
from mutagen.flac import Picture
from mutagen.mp4 import MP4Cover, MP4FreeForm

SUFFIXES = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".alac.m4a")
_WORDS = (
    "Jóga", "AC/DC", "夜", "λόγος", "a b", "", "12", "(17)", "3/12", "2001-05-17T10:20:30", "1999",
    "=", "x" * 200, "naïve", "🎵", "été 2001", "Rock", "17", "-", "a; b", "\ufeff",
)  # fmt: skip
_TEXT_FRAMES = (
    b"TIT2", b"TPE1", b"TPE2", b"TALB", b"TRCK", b"TPOS", b"TCON", b"TDRC", b"TYER", b"TDAT",
    b"TIME", b"TORY", b"TDOR", b"TDRL", b"TBPM", b"TCMP", b"TSOP", b"TSRC", b"TIPL", b"TMCL",
    b"IPLS", b"TSSE", b"TLEN", b"MVNM", b"MVIN", b"GRP1", b"TKEY", b"TSIZ",
)  # fmt: skip
_OLD_TEXT_FRAMES = (b"TT2", b"TP1", b"TP2", b"TAL", b"TRK", b"TCO", b"TYE", b"TDA", b"TOR", b"TCP")
_NUL = (b"\0", b"\0\0", b"\0\0", b"\0")


_OBJECTS = ("Serato Markers2", "Serato BeatGrid", "Serato Overview", "Energy", "")


def _encoded(text: str, encoding: int) -> bytes:
    codec = ("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding]
    return text.encode(codec, "replace")


def _texts(chance: random.Random, encoding: int, most: int = 3) -> bytes:
    words = [_encoded(chance.choice(_WORDS), encoding) for _ in range(chance.randint(1, most))]
    return _NUL[encoding].join(words) + chance.choice((b"", _NUL[encoding], _NUL[encoding] * 2))


def _frame_content(chance: random.Random, name: bytes, image: bytes) -> bytes:
    encoding = chance.choice((0, 1, 2, 3))
    head, nul = bytes([encoding]), _NUL[encoding]
    word = _encoded(chance.choice(_WORDS), encoding)
    texts = _texts(chance, encoding)
    kind = bytes([chance.randint(0, 20)])
    special = {
        b"TXXX": head + word + nul + texts,
        b"COMM": head + b"eng" + word + nul + texts,
        b"APIC": head + b"image/jpeg\0" + kind + word + nul + image,
        b"PIC": head + b"JPG" + kind + word + nul + image,
        b"UFID": b"http://musicbrainz.org\0" + b"9b7f9e6c",
        b"POPM": b"a@b\0" + kind + chance.choice((b"", b"\0\0\1\7")),
        b"WXXX": head + word + nul + b"http://a/b",
        b"WOAR": b"http://a/" + kind,
        b"PRIV": chance.choice((b"WM/Provider", b"TRAKTOR4")) + b"\0\1\2\3",
        b"GEOB": head
        + b"a/b\0"
        + nul
        + _encoded(chance.choice(_OBJECTS), encoding)
        + nul
        + chance.choice((b"\1\1", b"\0\0\0", b"", b"data")),
    }
    like = {b"GEO": b"GEOB", b"TXX": b"TXXX", b"USLT": b"COMM", b"COM": b"COMM", b"WCOP": b"WOAR"}
    return special.get(like.get(name, name), head + texts)


_OTHER_FRAMES = (b"TXXX", b"TXXX", b"COMM", b"USLT", b"APIC", b"UFID", b"POPM", b"WXXX", b"WOAR",
                 b"WCOP", b"PRIV", b"GEOB", b"PCNT", b"RVA2", b"SYLT", b"XXXX")  # fmt: skip


def id3v2(chance: random.Random, image: bytes) -> bytes:
    """A tag of any version, with common frames and invalid ones."""
    version = chance.choice((2, 3, 3, 4, 4, 4))
    names: tuple[bytes, ...] = _TEXT_FRAMES + _OTHER_FRAMES
    if version == 2:
        names = (*_OLD_TEXT_FRAMES, b"TXX", b"COM", b"PIC", b"GEO")
    body = b""
    for name in chance.sample(names, chance.randint(0, 8)):
        content = _frame_content(chance, name, image)
        if version == 2:
            body += name + len(content).to_bytes(3, "big") + content
        else:
            size = synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
            flags = chance.choice((b"\0\0",) * 30 + (b"\0\1", b"\x40\0", b"\0\2", b"\0\x80"))
            body += name + size + flags + content
    body += bytes(chance.choice((0, 0, 3, 10, 200)))
    whole = chance.choice((0,) * 30 + (0x80, 0x40, 0x10))
    return b"ID3" + bytes([version, 0, whole]) + synchsafe(len(body)) + body


def synchsafe(size: int) -> bytes:
    """A size with seven bits per byte."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3v1(chance: random.Random) -> bytes:
    """A tag of 128 bytes."""
    fields = [chance.choice(_WORDS).encode("latin-1", "replace")[:30].ljust(30, b"\0")
              for _ in range(3)]  # fmt: skip
    year = chance.choice((b"1999", b"\0\0\0\0", b"19  ", b"1,99"))
    comment = chance.choice((b"a note", b"", b"x" * 30)).ljust(30, b"\0")
    if chance.random() < 0.5:
        comment = comment[:28] + b"\0" + bytes([chance.randint(0, 20)])
    return b"TAG" + b"".join(fields) + year + comment + bytes([chance.choice((17, 255, 200, 0))])


def _comments(chance: random.Random, image: bytes, *, is_flac: bool) -> list[tuple[str, str]]:
    names = ("title", "ARTIST", "artist", "Album", "tracknumber", "date", "genre", "REPLAYGAIN_X",
             "comment", "MUSICBRAINZ_TRACKID", "x y", "lyrics")  # fmt: skip
    found = [(chance.choice(names), chance.choice(_WORDS)) for _ in range(chance.randint(0, 12))]
    if not is_flac and chance.random() < 0.3:
        found.append(("metadata_block_picture", base64.b64encode(_picture(image).write()).decode()))
    return found


def _picture(image: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", image
    return picture


def _mp4_tags(chance: random.Random, image: bytes) -> dict[str, Any]:
    number = chance.randint(0, 300)
    made: dict[str, Any] = {
        **{name: [chance.choice(_WORDS) for _ in range(chance.randint(1, 2))] for name in (
            "\xa9nam", "\xa9ART", "aART", "\xa9alb", "\xa9day", "\xa9gen", "\xa9cmt", "cprt",
            "soar", "\xa9wrk", "desc", "xid ")},
        "trkn": [(number, 12)], "disk": [(1, 2)], "tmpo": [number], "cpil": True, "pgap": False,
        "stik": [1], "rtng": [4], "covr": [MP4Cover(image)], "plID": [number << 33],
        "----:com.apple.iTunes:ARTISTS": [MP4FreeForm(b"a"), MP4FreeForm("夜".encode())],
        "----:com.apple.iTunes:MusicBrainz Track Id": [MP4FreeForm(b"9b7f\xff")],
    }  # fmt: skip
    return {name: made[name] for name in chance.sample(sorted(made), chance.randint(0, len(made)))}


def tagged(chance: random.Random, suffix: str, tone: bytes) -> bytes:
    """A tone with random tags, written by mutagen or by this module."""
    image = b"\xff\xd8\xff\xe0" + bytes(chance.randrange(256) for _ in range(40))
    if suffix == ".mp3":
        begin = id3v2(chance, image) if chance.random() < 0.9 else b""
        ape = b"APETAGEX" + bytes(24) if chance.random() < 0.05 else b""
        return begin + tone + ape + (id3v1(chance) if chance.random() < 0.4 else b"")
    file = io.BytesIO(tone)
    opened: Any = mutagen.File(file)
    if opened.tags is None:
        opened.add_tags()
    if suffix.endswith(".m4a"):
        opened.tags.update(_mp4_tags(chance, image))
    else:
        opened.tags.extend(_comments(chance, image, is_flac=suffix == ".flac"))
    if suffix == ".flac" and chance.random() < 0.5:
        opened.add_picture(_picture(image))
    file.seek(0)
    opened.save(file, padding=lambda _: chance.choice((0, 100, 2_000)))
    return file.getvalue()


def damaged(chance: random.Random, content: bytes) -> bytes:
    """The content with bits flipped, or bytes set, cut off, deleted or inserted."""
    changed = bytearray(content)
    kind = chance.randrange(6)
    if kind == 0:
        return content[: chance.choice((chance.randrange(300), chance.randrange(len(content))))]
    for place in _places(chance, len(changed), chance.randint(1, 4)):
        if kind in {1, 2}:
            changed[place] ^= 1 << chance.randrange(8)
        elif kind == 3:
            changed[place] = chance.choice((0, 255, 127, 128, changed[place - 1]))
        elif kind == 4:
            del changed[place : place + chance.randint(1, 40)]
        else:
            changed[place:place] = bytes(
                chance.randrange(256) for _ in range(chance.randint(1, 12))
            )
        if len(changed) < 2:
            break
    return bytes(changed)


def _places(chance: random.Random, size: int, count: int) -> Iterator[int]:
    for _ in range(count):
        near = chance.choice((200, 1_500, size))
        place = chance.randrange(min(near, size))
        yield max(0, size - 50 * count - place) if chance.random() < 0.2 else place % (size // 2)
