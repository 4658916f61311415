"""The ID3 frames that the fast parser reads, with their texts.

Sources: https://id3.org/id3v2.4.0-frames and https://id3.org/id3v2.4.0-structure, section 4.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mutagen.id3 import TCON

from services.extractor.read.fast.parsed_file import Unsupported
from services.extractor.tags.containers.id3 import OBJECTS, PRIVATE

GENRES: Sequence[str] = TCON.GENRES
_GENRE_NUMBERS = 256
_LATIN1, _UTF16, _UTF16_BE, _UTF8 = range(4)
_BYTE_CODECS = {_LATIN1: "latin-1", _UTF8: "utf-8"}
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_TIME_SEPARATORS = re.compile(r"[-T:/.]|\s+")
_TIME_FORMATS = ("%04d", "-%02d", "-%02d", " %02d", ":%02d", ":%02d")
_is_plain_date = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?").fullmatch
_match_genre_number = re.compile(r"\(([0-9]+)\)").fullmatch


class Frame:
    """A frame with mutagen's attributes, of which only those of its kind are set."""

    __slots__ = (
        "FrameID", "count", "data", "desc", "email", "genres", "mime", "owner", "people", "rating",
        "text", "type", "url",
    )  # fmt: skip

    if TYPE_CHECKING:
        FrameID: str
        text: list[str]
        people: list[list[str]]
        mime: str

    def __init__(self, name: str, **attributes: Any) -> None:
        self.FrameID = name
        for attribute, value in attributes.items():
            setattr(self, attribute, value)


KeyedFrame = tuple[str, Frame] | None
"""A frame and its key in mutagen's mapping; None where it is empty, which mutagen drops too."""

_TEXTS = frozenset(
    """
    TALB TCOM TCOP TDAT TDES TKWD TCAT MVNM GRP1 TENC TEXT TFLT TGID TIME TIT1 TIT2 TIT3 TKEY TLAN
    TMED TMOO TOAL TOFN TOLY TOPE TOWN TPE1 TPE2 TPE3 TPE4 TPRO TPUB TRDA TRSN TRSO TSO2 TSOA TSOC
    TSOP TSOT TSRC TSSE TSST TBPM TCMP TDLY TLEN TORY TSIZ TYER MVIN TPOS TRCK TDEN TDOR TDRC TDRL
    TDTG
""".split()  # noqa: SIM905 - a list of sixty strings is harder to read
)
_URLS = frozenset(("WCOP", "WFED", "WOAF", "WOAS", "WORS", "WPAY", "WPUB"))
_REPEATED_URLS = frozenset(("WCOM", "WOAR"))
_SKIPPED = frozenset(("MCDI",))
"""No tag is made of it, and no content of its makes mutagen fail."""
_OBJECT_DESCRIPTIONS = frozenset(
    name.encode(codec) for name in OBJECTS for codec in ("ascii", "utf-16-le")
)
_PRIVATE_OWNER = PRIVATE.encode()
_LONGEST_COUNTER_BYTES = 8
_LANGUAGE_BYTES = 3


def parse_frame(name: str, content: bytes, *, is_old: bool) -> KeyedFrame:
    """A frame that has content.

    Args:
        name: as of ID3v2.3 and later.
        content: what follows the frame's header.
        is_old: before ID3v2.4.

    Raises:
        Unsupported: of an unknown kind, or unusual.
        UnicodeDecodeError, IndexError: damaged.
    """
    if name in _TEXTS:
        texts = _texts(content, is_old=is_old)
        return (name, Frame(name, text=texts)) if texts else None
    if name in _SKIPPED:
        return None
    if name in _URLS or name in _REPEATED_URLS:
        url, _ = _split_text(content, _LATIN1, is_old=is_old)
        return name if name in _URLS else f"{name}:{url}", Frame(name, url=url)
    parser = _PARSERS.get(name)
    if parser is None:
        raise Unsupported
    return parser(name, content, is_old)


def _texts(content: bytes, *, is_old: bool) -> list[str]:
    return _split_texts(content[1:], content[0], is_old=is_old)


def _genre_frame(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    texts = _texts(content, is_old=is_old)
    return (name, Frame(name, genres=genre_names(texts))) if texts else None


def _described_texts(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    description, rest = _split_text(content[1:], content[0], is_old=is_old)
    if not rest:
        return None
    texts = _split_texts(rest, content[0], is_old=is_old)
    return f"{name}:{description}", Frame(name, desc=description, text=texts)


def _described_url(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    description, rest = _split_text(content[1:], content[0], is_old=is_old)
    if not rest:
        return None
    url, _ = _split_text(rest, _LATIN1, is_old=is_old)
    return f"{name}:{description}", Frame(name, desc=description, url=url)


def _text_in_a_language(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    """Comments, which mutagen reads as several texts, and lyrics, which have one."""
    encoding, language = content[0], content[1 : 1 + _LANGUAGE_BYTES].decode("ascii")
    description, rest = _split_text(content[1 + _LANGUAGE_BYTES :], encoding, is_old=is_old)
    if not rest:
        return None
    text: object
    if name == "COMM":
        text = _split_texts(rest, encoding, is_old=is_old)
    else:
        text, _ = _split_text(rest, encoding, is_old=is_old)
    return f"{name}:{description}:{language}", Frame(name, desc=description, text=text)


def _people(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    """Pairs of involvement and person, one after another."""
    people, rest = [], content[1:]
    while rest:
        part, rest = _split_text(rest, content[0], is_old=is_old)
        person, rest = _split_text(rest, content[0], is_old=is_old) if rest else ("", rest)
        people.append([part, person])
    return (name, Frame(name, people=people)) if people else None


def _identifier(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    owner, _, identifier = content.partition(b"\0")
    owner_text = owner.decode("latin-1")
    return f"{name}:{owner_text}", Frame(name, owner=owner_text, data=identifier)


def _object(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    """An object that a tag is made of: those of other descriptions may be long."""
    if not any(description in content for description in _OBJECT_DESCRIPTIONS):
        return None
    _, _, rest = content[1:].partition(b"\0")
    _, rest = _split_text(rest, content[0], is_old=is_old)  # the file's name
    description, data = _split_text(rest, content[0], is_old=is_old)
    if description not in OBJECTS:
        return None
    if not data:
        raise Unsupported
    return f"{name}:{description}", Frame(name, desc=description, data=data)


def _private(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    owner, _, data = content.partition(b"\0")
    if owner != _PRIVATE_OWNER:
        return None
    return f"{name}:{PRIVATE}", Frame(name, owner=PRIVATE, data=data)


def _picture(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    mime, _, rest = content[1:].partition(b"\0")
    if len(rest) < 2:
        return None
    description, data = _split_text(rest[1:], content[0], is_old=is_old)
    mime_type = mime.decode("latin-1")
    frame = Frame(name, mime=mime_type, type=rest[0], desc=description, data=data)
    return f"{name}:{description}", frame


def _popularimeter(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    email, _, rest = content.partition(b"\0")
    if not rest or len(rest) > _LONGEST_COUNTER_BYTES:
        raise Unsupported
    # The counter may be left out: mutagen's frame has no such attribute then.
    counter = {"count": int.from_bytes(rest[1:], "big")} if rest[1:] else {}
    email_text = email.decode("latin-1")
    return f"{name}:{email_text}", Frame(name, email=email_text, rating=rest[0], **counter)


def _play_counter(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    if len(content) > _LONGEST_COUNTER_BYTES:
        raise Unsupported
    return name, Frame(name, count=int.from_bytes(content, "big"))


def _flag(name: str, content: bytes, is_old: bool) -> KeyedFrame:
    return name, Frame(name)


_PARSERS: dict[str, Callable[[str, bytes, bool], KeyedFrame]] = {
    "TCON": _genre_frame, "TXXX": _described_texts, "WXXX": _described_url,
    "COMM": _text_in_a_language, "USLT": _text_in_a_language, "TIPL": _people, "TMCL": _people,
    "IPLS": _people, "UFID": _identifier, "APIC": _picture, "POPM": _popularimeter,
    "PCNT": _play_counter, "PCST": _flag, "GEOB": _object, "PRIV": _private,
}  # fmt: skip


def _split_text(written: bytes, encoding: int, *, is_old: bool) -> tuple[str, bytes]:
    """The first text, and the bytes after its terminator.

    Raises:
        Unsupported: UTF-16 without a byte order mark, or an unknown encoding.
        UnicodeDecodeError: the text is not in this encoding.
    """
    codec = _BYTE_CODECS.get(encoding)
    if codec is not None:
        before, _, rest = written.partition(b"\0")
        text = before.decode(codec)
    else:
        text, rest = _split_utf16(written, encoding)
    if is_old and rest and not rest.lstrip(b"\0"):
        rest = b""  # before 2.4 a frame may be padded with zeros: they are no empty texts
    return text, rest


def _split_utf16(written: bytes, encoding: int) -> tuple[str, bytes]:
    begin, codec = 0, "utf-16-be"
    if encoding == _UTF16:
        begin, codec = 2, _BYTE_ORDER_MARKS.get(written[:2], "")
    if not codec or encoding not in {_UTF16, _UTF16_BE}:
        raise Unsupported
    end = written.find(b"\0\0", begin)
    while end % 2 and end >= 0:  # these zeros are half of one character, and half of the next
        end = written.find(b"\0\0", end + 1)
    if end < 0:
        return written[begin:].decode(codec), b""
    return written[begin:end].decode(codec), written[end + 2 :]


def _split_texts(written: bytes, encoding: int, *, is_old: bool) -> list[str]:
    """All texts, one after another; errors as of `_split_text`."""
    texts = []
    while written:
        text, written = _split_text(written, encoding, is_old=is_old)
        texts.append(text)
    return texts


def time_stamp(text: str) -> str:
    """A time as ID3v2.4 writes it, as far as it is one from its year on; '' where it is none."""
    if _is_plain_date(text):
        return text
    parts = _TIME_SEPARATORS.split(text + ":::::")[:6]
    stamp = ""
    for part, form in zip(parts, _TIME_FORMATS, strict=True):
        try:
            stamp += form % int(part)
        except ValueError:
            break
    return stamp


def genre_names(texts: Sequence[str]) -> list[str]:
    """Genres by name, from names, numbers, and numbers in brackets.

    Raises:
        Unsupported: a text mixes numbers and names, as ID3v2.3 allows.
    """
    names = []
    for text in texts:
        if text.isdecimal() and int(text) < _GENRE_NUMBERS:
            names.append(_genre_name(int(text)))
        elif number := _match_genre_number(text):
            names.append(_genre_name(int(number[1])))
        elif text.startswith("(") or "\n" in text or text in {"CR", "RX"}:
            raise Unsupported
        elif text:
            names.append(text)
    return names


def _genre_name(number: int) -> str:
    return str(GENRES[number]) if number < len(GENRES) else "Unknown"
