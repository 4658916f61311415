"""The encoding of a cue sheet, which says nothing about it. Pure."""

import re
from collections.abc import Callable

_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_CYRILLIC_WORDS = re.compile(rb"[\xa8\xb8\xc0-\xff]{3,}")
_HIGH = re.compile(rb"[\x80-\xff]")
_SHIFT_JIS_PAIRS = re.compile(rb"[\x81-\x9f][\x40-\x7e\x80-\xfc]|[\xe0-\xfc][\x40-\x7e\x80-\xfc]")
_FIRST_BYTES_OF_LETTERS = 0xA0
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def decode_sheet(content: bytes, names_files: Callable[[str], bool] = lambda _: False) -> str:
    """The text of a cue sheet.

    UTF-8 and UTF-16 are certain. Of the others the one counts in which the sheet names files that
    are there, else the one that the bytes look like: Shift-JIS, Windows-1251, Windows-1252.

    Args:
        content: the bytes of the sheet.
        names_files: whether a text names files that are there.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if content[:4].count(0) == 2:  # ASCII letters in UTF-16
        return content.decode("utf-16-be" if content[0] == 0 else "utf-16-le", "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        texts = [text for encoding in _likely(content) if (text := _decoded(content, encoding))]
    return next((text for text in texts if names_files(text)), texts[0])


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding, "replace" if encoding == "cp1252" else "strict")
    except UnicodeDecodeError:
        return None


def _likely(content: bytes) -> list[str]:
    """The encodings in question, the likeliest first."""
    encodings = ["cp1252"]
    # Western texts have one such letter among ASCII ones, Cyrillic words have no others.
    in_words = sum(map(len, _CYRILLIC_WORDS.findall(content)))
    if in_words * 2 > len(_HIGH.findall(content)):
        encodings.insert(0, "cp1251")
    else:
        encodings.append("cp1251")
    japanese = _decoded(content, "cp932")  # Windows' Shift-JIS
    # Kana and most kanji begin with a byte that is a letter in neither of the others.
    pairs = [
        pair for pair in _SHIFT_JIS_PAIRS.findall(content) if pair[0] < _FIRST_BYTES_OF_LETTERS
    ]
    if japanese is not None and len(pairs) * 2 > len(_NOT_ASCII.findall(japanese)):
        return ["cp932", *encodings]
    return [*encodings, "cp932"]
