"""Lyrics, plain and synced (LRC), from tags and from a sidecar file. Pure.

LRC is lines with time stamps, "[01:02.50]text", or several stamps before one text. "[ar:..]" and
the like are facts about the file; "[offset:+/-ms]" moves all lines earlier or later.
"""

import re
from collections.abc import Iterable
from operator import itemgetter

from services.extractor.tags import normalise
from services.extractor.tags.model import Lyrics

LYRICS_LIMIT = 20_000
_MOST_LINES = 2_000
LARGEST_SIDECAR_BYTES = 1_000_000
SIDECAR_SUFFIXES = (".lrc", ".LRC")
_STAMP = re.compile(r"\s*\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_FACT = re.compile(r"\s*\[([a-z#]+)\s*:([^\]]*)\]\s*$", re.IGNORECASE)
_WORD_STAMP = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>")
_LATEST_MS = 24 * 3_600_000


def lyrics(
    plain: Iterable[str], synced: Iterable[str], sidecar: bytes | None = None
) -> Lyrics | None:
    """The lyrics of a track; None where there are none.

    Those in the sidecar file go before those in the tags. A text is synced where its lines have
    time stamps, whatever its tag is called: programs write LRC into plain lyrics too.

    Args:
        plain: values of tags of plain lyrics.
        synced: values of tags of synced lyrics.
        sidecar: the content of the file of lyrics.
    """
    if sidecar is not None:
        found = _from_texts([_decode(sidecar[:LARGEST_SIDECAR_BYTES])], is_sidecar=True)
        if found is not None:
            return found
    return _from_texts([*synced, *plain], is_sidecar=False)


def _from_texts(texts: Iterable[str], *, is_sidecar: bool) -> Lyrics | None:
    plain: str | None = None
    synced: str | None = None
    for text in texts:
        lines = timed_lines(text[:LARGEST_SIDECAR_BYTES])
        if lines:
            synced = synced or _lrc(lines)
        else:
            plain = plain or normalise.lines(text, LYRICS_LIMIT) or None
    return Lyrics(plain, synced, is_sidecar) if plain or synced else None


def timed_lines(text: str) -> list[tuple[int, str]]:
    """Time (ms from the beginning) and words of each line of an LRC, in order; else []."""
    offset_ms = 0
    found: list[tuple[int, str]] = []
    for line in text.splitlines()[:_MOST_LINES]:
        stamps: list[int] = []
        position = 0
        while stamp := _STAMP.match(line, position):
            minutes, seconds, part = stamp.groups()
            part_ms = int((part or "0").ljust(3, "0"))
            stamps.append(int(minutes) * 60_000 + int(seconds) * 1_000 + part_ms)
            position = stamp.end()
        if not stamps:
            fact = _FACT.match(line)
            if fact and fact.group(1).lower() == "offset":
                offset_ms = _offset(fact.group(2))
            continue
        words = normalise.text(_WORD_STAMP.sub("", line[position:]))
        found += [(stamp, words) for stamp in stamps]
    # LRC: a positive offset shows the words earlier.
    moved = ((min(max(at - offset_ms, 0), _LATEST_MS), words) for at, words in found)
    # By time alone: lines of one time (a translation below its original) stay as the file has them.
    return sorted(moved, key=itemgetter(0))


def _offset(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        return 0


def _lrc(lines: list[tuple[int, str]]) -> str:
    """The lines as LRC, as far as they fit the limit."""
    written: list[str] = []
    length = 0
    for at_ms, words in lines[:_MOST_LINES]:
        minutes, rest = divmod(at_ms, 60_000)
        line = f"[{minutes:02}:{rest // 1_000:02}.{rest % 1_000:03}]{words}"
        length += len(line) + 1
        if length > LYRICS_LIMIT:
            break
        written.append(line)
    return "\n".join(written)


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
