"""MP4: its atoms, and the items of its tag list.

Sources: ISO/IEC 14496-12, sections 4 and 8; Apple's QuickTime File Format, "Metadata".
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from services.extractor.read.fast.id3_frames import GENRES
from services.extractor.read.fast.mp4_audio import read_description
from services.extractor.read.fast.parsed_file import ParsedFile, StreamInfo, Unsupported
from services.extractor.read.file_bytes import FileBytes

Tags = dict[str, Any]
"""By the atom's name; free-form items as "----:mean:name"."""

_ATOM = struct.Struct(">I4s")
_ITEM = struct.Struct(">I4sI")
_CONTAINERS = frozenset((b"moov", b"udta", b"trak", b"mdia", b"meta", b"ilst", b"stbl", b"minf"))
_FRAGMENTS = frozenset((b"moof", b"traf"))
_DEEPEST = 12
_DESCRIPTION = (b"mdia", b"minf", b"stbl", b"stsd")
_IMPLICIT, _UTF8, _UTF16, _SORT_UTF8, _SORT_UTF16, _INTEGER = 0, 1, 2, 4, 5, 21  # of values
_UTF16_KINDS = frozenset((_UTF16, _SORT_UTF16))
_MOST_CLASSIC_LANGUAGES = 0x400
_QUICKTIME = "com.apple.quicktime."
_TEXTS = frozenset((
    b"\xa9nam", b"\xa9alb", b"\xa9ART", b"aART", b"\xa9wrt", b"\xa9day", b"\xa9cmt", b"desc",
    b"purd", b"\xa9grp", b"\xa9gen", b"\xa9lyr", b"catg", b"keyw", b"\xa9too", b"cprt", b"soal",
    b"soaa", b"soar", b"sonm", b"soco", b"sosn", b"tvsh", b"purl", b"egid",
))  # fmt: skip
_NUMBERS = frozenset((
    b"plID", b"cnID", b"geID", b"atID", b"sfID", b"cmID", b"akID", b"tvsn", b"tves", b"tmpo",
    b"\xa9mvi", b"\xa9mvc", b"shwm", b"stik", b"hdvd", b"rtng",
))  # fmt: skip
_FLAGS = frozenset((b"cpil", b"pgap", b"pcst"))
_PAIRS = frozenset((b"trkn", b"disk"))
_NUMBER_SIZES = frozenset((1, 2, 3, 4, 8))


class Atom(NamedTuple):
    """An atom within a block: where its content lies, and the atoms in it."""

    name: bytes
    start: int
    end: int
    children: "Sequence[Atom]"

    def child(self, *names: bytes) -> "Atom | None":
        """The first child of a name, or the first below the first of a name, and so on."""
        atom = self
        for name in names:
            for child in atom.children:
                if child.name == name:
                    atom = child
                    break
            else:
                return None
        return atom


def parse(file: FileBytes) -> ParsedFile:
    """An MP4 file without fragments."""
    block = _movie(file)
    movie = Atom(b"moov", 0, len(block), _atoms(block, 0, len(block)))
    return ParsedFile(
        _info(block, movie), _tags(block, movie), has_chapters=_may_have_chapters(movie)
    )


def _may_have_chapters(movie: Atom) -> bool:
    """Whether there is Nero's atom of chapters, or a track that refers to another one."""
    refers = any(track.child(b"tref") for track in movie.children if track.name == b"trak")
    return refers or movie.child(b"udta", b"chpl") is not None


def parse_tags(file: FileBytes) -> Tags | None:
    """The tags alone; errors as of `parse`."""
    block = _movie(file)
    return _tags(block, Atom(b"moov", 0, len(block), _atoms(block, 0, len(block))))


def _tags(block: bytes, movie: Atom) -> Tags | None:
    meta = movie.child(b"udta", b"meta") or movie.child(b"meta")
    items = meta.child(b"ilst") if meta else None
    if meta is None or items is None:
        return _quicktime_texts(block, movie)
    keys = meta.child(b"keys")
    if keys is not None:
        return _keyed_texts(block, keys, items)
    tags: Tags = {}
    for atom in items.children:
        _add_item(atom.name, block[atom.start : atom.end], tags)
    return tags


def _keyed_texts(block: bytes, keys: Atom, items: Atom) -> Tags:
    """Items that are numbered, of which a list says the names: FFmpeg's `use_metadata_tags`."""
    names = [block[key.start : key.end] for key in _atoms(block, keys.start + 8, keys.end)]
    tags: Tags = {}
    for atom in items.children:
        number = int.from_bytes(atom.name, "big")
        if not 1 <= number <= len(names):
            continue
        name = names[number - 1].decode("utf-8", "replace").removeprefix(_QUICKTIME)
        texts = [
            value
            for kind, value in _values(block[atom.start : atom.end])
            if kind & 0xFFFFFF == _UTF8
        ]
        tags.setdefault(f"----:mdta:{name}", []).extend(texts)
    return tags


def _quicktime_texts(block: bytes, movie: Atom) -> Tags | None:
    """QuickTime's own texts, each with its length and language; None where there are none."""
    tags: Tags = {}
    user_data = movie.child(b"udta")
    for atom in user_data.children if user_data else ():
        content = block[atom.start : atom.end]
        if atom.name[:1] != b"\xa9" or len(content) < 4:
            continue
        length, language = struct.unpack_from(">2H", content)
        text = content[4 : 4 + length]
        # Macintosh's languages have small numbers, and its encoding; later ones are UTF-8.
        codec = (
            "mac_roman" if language < _MOST_CLASSIC_LANGUAGES and not _is_utf8(text) else "utf-8"
        )
        tags.setdefault(atom.name.decode("latin-1"), []).append(text.decode(codec, "replace"))
    return tags or None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _movie(file: FileBytes) -> bytes:
    """The content of the file's one `moov` atom."""
    offset, block = 0, None
    while offset + 8 <= file.size:
        size, name = _ATOM.unpack(file.read_exactly(offset, 8))
        start = offset + 8
        if size == 1:  # a 64-bit size follows the name
            size, start = int.from_bytes(file.read_exactly(start, 8), "big"), start + 8
        if size < start - offset or offset + size > file.size:
            raise Unsupported
        if name == b"moov" and block is None:
            block = file.read_exactly(start, offset + size - start)
        elif name in _CONTAINERS or name in _FRAGMENTS:
            raise Unsupported
        offset += size
    if block is None:
        raise Unsupported
    return block


def _atoms(block: bytes, offset: int, end: int, depth: int = 0) -> list[Atom]:
    """The atoms that fill a part of a block, and those in them."""
    atoms = []
    while offset < end:
        size, name = _ATOM.unpack_from(block, offset)
        start, after = offset + 8, offset + size
        if size < 8 or after > end or name in _FRAGMENTS or depth > _DEEPEST:
            raise Unsupported
        children: Sequence[Atom] = ()
        if name in _CONTAINERS:
            # `meta` begins with a version and flags, other containers do not.
            children = _atoms(block, start + (4 if name == b"meta" else 0), after, depth + 1)
        atoms.append(Atom(name, start, after, children))
        offset = after
    if offset != end:
        raise Unsupported
    return atoms


def _info(block: bytes, movie: Atom) -> StreamInfo:
    """The audio properties of the first track of sound."""
    for track in movie.children:
        if track.name == b"trak":
            handler = track.child(b"mdia", b"hdlr")
            if handler is None:
                raise Unsupported
            if block[handler.start + 8 : min(handler.start + 12, handler.end)] == b"soun":
                break
    else:
        raise Unsupported
    header, description = track.child(b"mdia", b"mdhd"), track.child(*_DESCRIPTION)
    if header is None:
        raise Unsupported
    length_s = _length_s(block[header.start : header.end])
    info = StreamInfo(length=length_s, sample_rate=0, channels=0, bits_per_sample=0)
    if description is not None:
        read_description(block[description.start : description.end], info)
    return info


def _length_s(header: bytes) -> float:
    """From a media header (`mdhd`), whose numbers are wider in version 1."""
    if header[0] == 0:
        units_a_second, length = struct.unpack_from(">2I", header, 12)
    elif header[0] == 1:
        units_a_second, length = struct.unpack_from(">IQ", header, 20)
    else:
        raise Unsupported
    return float(length) / units_a_second if units_a_second else 0.0


def _add_item(name: bytes, content: bytes, tags: Tags) -> None:
    """Add the values of a tag list's item.

    Raises:
        Unsupported: the item's values are not of its kind.
    """
    key = name.decode("latin-1")
    if name in _FLAGS:
        for _, value in _values(content):
            if len(value) != 1:
                raise Unsupported
            tags[key] = value != b"\0"
        return
    values: list[Any]
    if name == b"----":
        key, values = _free_form(content)
    elif name == b"gnre":
        key, values = "\xa9gen", [_genre(value) for _, value in _values(content)]
    elif name == b"covr":
        values = [value for _, value in _values(content)]
    elif name in _PAIRS:
        values = [struct.unpack_from(">2H", value, 2) for _, value in _values(content)]
    elif name in _NUMBERS:
        values = [_number(kind, value) for kind, value in _values(content)]
    elif name in _CONTAINERS:
        raise Unsupported
    else:
        kinds = (_UTF8, _UTF16, _SORT_UTF8, _SORT_UTF16, *((_IMPLICIT,) if name in _TEXTS else ()))
        values = [_text(kind, value, kinds) for kind, value in _values(content)]
    tags.setdefault(key, []).extend(values)


def _values(content: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Type, with its version, and content of the values, which fill an item to its end."""
    content_end = len(content)
    while offset < content_end:
        length, name, kind = _ITEM.unpack_from(content, offset)
        end = offset + length
        if length < 16 or name != b"data" or end > content_end:
            raise Unsupported
        yield kind, content[offset + 16 : end]
        offset = end


def _text(kind: int, value: bytes, kinds: tuple[int, ...]) -> str:
    if kind & 0xFFFFFF not in kinds:
        raise Unsupported
    if kind & 0xFFFFFF in _UTF16_KINDS:
        return value.decode("utf-16-be", "replace")
    # mutagen drops an atom whose text is no UTF-8; here it is read as that of FLAC and Ogg is.
    return value.decode("utf-8", "replace")


def _number(kind: int, value: bytes) -> int:
    if kind not in {_IMPLICIT, _INTEGER} or len(value) not in _NUMBER_SIZES:
        raise Unsupported
    return int.from_bytes(value, "big", signed=True)


def _genre(value: bytes) -> str:
    """A genre by ID3v1's number, counted from 1."""
    number = int.from_bytes(value, "big")
    if len(value) != 2 or number > len(GENRES):
        raise Unsupported
    return str(GENRES[number - 1]) if number else ""  # mutagen takes the last genre for 0


def _free_form(content: bytes) -> tuple[str, list[bytes]]:
    """An item that says whose it is (`mean`) and its name."""
    mean, offset = _free_form_part(content, 0, b"mean")
    name, offset = _free_form_part(content, offset, b"name")
    key = (b"----:" + mean + b":" + name).decode("latin-1")
    return key, [value for _, value in _values(content, offset)]


def _free_form_part(content: bytes, offset: int, expected: bytes) -> tuple[bytes, int]:
    length, name, _ = _ITEM.unpack_from(content, offset)
    end = offset + length
    if length < 12 or name != expected or end > len(content):
        raise Unsupported
    return content[offset + 12 : end], end
