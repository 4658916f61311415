"""The texts within ID3 frames. Source: https://id3.org/id3v2.4.0-structure, section 4."""

import re

from services.extractor.read.fast.found import Beyond

LATIN1, UTF16, UTF16_BE, UTF8 = range(4)
_BYTE_CODECS = {LATIN1: "latin-1", UTF8: "utf-8"}
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SEPARATORS = re.compile(r"[-T:/.]|\s+")
_FORMATS = ("%04d", "-%02d", "-%02d", " %02d", ":%02d", ":%02d")
_PLAIN_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?").fullmatch


def one(written: bytes, encoding: int, *, is_old: bool) -> tuple[str, bytes]:
    """The first text, and what is left behind its end.

    Args:
        written: what the frame holds there.
        encoding: ID3's number of it.
        is_old: before 2.4, where zeros alone that are left are padding.

    Raises:
        Beyond: UTF-16 without its mark, or no such encoding.
        UnicodeDecodeError: it is not in this encoding.
    """
    codec = _BYTE_CODECS.get(encoding)
    if codec is not None:
        before, _, rest = written.partition(b"\0")
        text = before.decode(codec)
    else:
        text, rest = _wide(written, encoding)
    if is_old and rest and not rest.lstrip(b"\0"):
        rest = b""
    return text, rest


def _wide(written: bytes, encoding: int) -> tuple[str, bytes]:
    begin, codec = 0, "utf-16-be"
    if encoding == UTF16:
        begin, codec = 2, _MARKS.get(written[:2], "")
    if not codec or encoding not in {UTF16, UTF16_BE}:
        raise Beyond
    end = written.find(b"\0\0", begin)
    while end % 2 and end >= 0:  # half of one character, and half of the next
        end = written.find(b"\0\0", end + 1)
    if end < 0:
        return written[begin:].decode(codec), b""
    return written[begin:end].decode(codec), written[end + 2 :]


def every(written: bytes, encoding: int, *, is_old: bool) -> list[str]:
    """All texts, one after another; errors as of `one`."""
    texts = []
    while written:
        text, written = one(written, encoding, is_old=is_old)
        texts.append(text)
    return texts


def time_stamp(text: str) -> str:
    """A time as ID3v2.4 writes it, as far as it is one from its year on; '' where it is none."""
    if _PLAIN_DATE(text):
        return text
    parts = _SEPARATORS.split(text + ":::::")[:6]
    told = ""
    for part, form in zip(parts, _FORMATS, strict=True):
        try:
            told += form % int(part)
        except ValueError:
            break
    return told
