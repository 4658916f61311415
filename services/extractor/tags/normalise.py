"""Normalises the values of tags: clean texts, numbers, dates and ids, all within limits. Pure."""

import math
import re
import uuid
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from services.extractor.tags.model import Numbered
from services.extractor.tags.rules import DEFAULT_RULES, GenreRules

TEXT_LIMIT = 1_000
COMMENT_LIMIT = 4_000
MOST_VALUES = 50
_READ_LIMIT = 100_000  # characters of a text: what follows is not even looked at
NUMBER_LIMIT = 30_000
_REFERENCE_SHIFT_DB = 5.0
"""From EBU R128's -23 LUFS (Opus' R128 tags) to ReplayGain 2's -18 LUFS."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]+")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]+")
_NUMBERED = re.compile(
    r"\s*(?:(?:no\.|track|disc|disk|cd|#)\s*)?(?:(\d{1,9})[a-z.]?)?\s*(?:(?:/|of)\s*(\d{1,9})?.*)?",
    re.IGNORECASE | re.DOTALL,
)
_SIDE = re.compile(
    r"\s*(?:side\s+)?(AA|[A-Z])[\s.-]*(?:(\d{1,2})[a-z.]?)?\s*(?:(?:/|of)\s*(\d{1,9})?.*)?",
    re.IGNORECASE | re.DOTALL,
)
is_plain_number = re.compile(r"\s*\d{0,9}\s*(?:(?:/|of)\s*\d{0,9}\s*)?", re.IGNORECASE).fullmatch
"""Whether a text is a number, with a total or without, and nothing else."""
_NUMBERS_A_SIDE = 100
_DATE = re.compile(r"(\d{4})(?:[-./](\d{1,2})(?:[-./](\d{1,2}))?)?(?!\d)")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})?(?!\d)")
_LONE_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_WORD = re.compile(r"[A-Za-z]{3,9}")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?!\d)")
_LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTHS = tuple(month[:3] for month in _LONG_MONTHS)
_DECIMAL = re.compile(r"[-+]?\d{1,9}(?:[.,]\d{1,12})?")


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """One clean line: no control characters, no lone surrogates, at most `limit` characters."""
    clean = _CONTROL.sub(" ", value[:_READ_LIMIT]).strip()
    return clean[:limit].rstrip()


def lines(value: str, limit: int = COMMENT_LIMIT) -> str:
    """Clean text that may have several lines."""
    clean = value[:_READ_LIMIT].replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL_BUT_LINES.sub(" ", clean).strip()[:limit].rstrip()


def texts(values: Sequence[str], limit: int = TEXT_LIMIT) -> list[str]:
    """Clean texts, each once, without empty ones. NUL separates values, as in ID3v2.4."""
    if not values:
        return []
    found: dict[str, None] = {}
    for value in values:
        # Nearly all values are clean: this test is far cheaper than the regular expression.
        is_clean = len(value) <= limit and value.isprintable()
        for part in (value,) if is_clean else value[:_READ_LIMIT].split("\0"):
            clean = value.strip() if is_clean else text(part, limit)
            if clean:
                found[clean] = None
            if len(found) == MOST_VALUES:
                return list(found)
    return list(found)


def first(values: Sequence[str], limit: int = TEXT_LIMIT) -> str | None:
    """The first clean text that is not empty, or None."""
    for value in values:  # nearly always this is all
        if len(value) <= limit and value.isprintable() and (clean := value.strip()):
            return clean
        break
    return next(iter(texts(values, limit)), None)


def genres(values: Sequence[str], rules: GenreRules = DEFAULT_RULES.genres) -> tuple[str, ...]:
    """Genres one by one, each once whatever its case, split and renamed by the rules."""
    separator = _separator(rules.separators)
    found: dict[str, str] = {}
    for value in texts(values):
        for part in _genre_parts(value, rules.whole, separator):
            genre = rules.renamed.get(part.strip().casefold(), part.strip())
            if genre:
                found.setdefault(genre.casefold(), genre)
    return tuple(found.values())[:MOST_VALUES]


def _genre_parts(value: str, whole: frozenset[str], separator: re.Pattern[str]) -> list[str]:
    """A list of genres one by one; those that are never split may stand in the list."""
    if value.casefold() in whole or not separator.search(value):
        return [value]
    parts: list[str] = []
    start = 0
    for name in _whole_genres(whole).finditer(value):
        before, after = value[start : name.start()].rstrip(), value[name.end() :].lstrip()
        stands_alone = not before or separator.fullmatch(before[-1:])
        if stands_alone and (not after or separator.match(after)):
            parts += [*separator.split(before[:-1]), name.group()]
            start = len(value) - len(after) + 1
    return [*parts, *separator.split(value[start:])]


@lru_cache(maxsize=16)
def _whole_genres(whole: frozenset[str]) -> re.Pattern[str]:
    """Genres that are never split, with any white space around their separators."""
    longest_first = sorted(whole, key=lambda genre: (-len(genre), genre))
    patterns = (
        r"\s*".join(
            "(?:&|and)" if part == "&" else re.escape(part)
            for part in re.findall(r"[\w-]+|[^\w\s]", genre)
        )
        for genre in longest_first
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns) or '(?!)'})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=16)
def _separator(separators: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, ("\0", *separators))))


NO_NUMBER = Numbered()


@lru_cache(maxsize=4_096)  # a library has few different numbers and dates, and many files
def numbered(value: str | None, total: str | None = None) -> Numbered:
    """A position like "3/12", "3 of 12" or "3", with a total of its own; nonsense is None."""
    if value is None:
        return Numbered(None, _number(total, least=1)) if total else NO_NUMBER
    match = _NUMBERED.fullmatch(value[:100])
    if match is None:
        side = _SIDE.fullmatch(value[:100])
        return Numbered(_number_on_side(side), _number((side and side[3]) or total, least=1))
    return Numbered(_number(match[1], least=0), _number(match[2] or total, least=1))


def _number_on_side(side: re.Match[str] | None) -> int | None:
    """A number that sorts by the side of a record first: A1 is 1, A2 is 2, B1 is 101."""
    if side is None:
        return None
    # "AA" is the other side of a single.
    position = 1 if side[1].upper() == "AA" else ord(side[1].upper()) - ord("A")
    return position * _NUMBERS_A_SIDE + int(side[2] or 1)


def _number(value: str | None, *, least: int) -> int | None:
    digits = (value or "").strip()[:10]
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits) if least <= int(digits) <= NUMBER_LIMIT else None


@lru_cache(maxsize=4_096)
def partial_date(value: str | None) -> str | None:
    """A date, as far as it is valid: YYYY, YYYY-MM or YYYY-MM-DD, years 1000 to 2999; or None.

    Months in English words are understood ("Oct 3, 1995"). Of other texts with one year in them
    ("c. 1969") it is the year.
    """
    if not value:
        return None
    written = value.strip()[:40]
    match = _COMPACT_DATE.match(written) or _DATE.match(written)
    if match is None:
        return _date_in_words(written)
    year, month, day = (int(part or 0) for part in match.groups())
    if not month and (in_words := _date_in_words(written)):  # "2023 May 1"
        return in_words
    return _valid_date(year, month, day)


def _date_in_words(written: str) -> str | None:
    years = _LONE_YEAR.findall(written)
    if len(years) != 1:
        return None
    rest = written.replace(years[0], " ", 1)
    months = {
        _MONTHS.index(word[:3].lower()) + 1 for word in _WORD.findall(rest) if _is_month(word)
    }
    # Numbers alone may be day and month in either order: only the year is certain.
    if len(months) != 1:
        return _valid_date(int(years[0]), 0, 0)
    days = _DAY.findall(rest)
    return _valid_date(int(years[0]), months.pop(), int(days[0]) if len(days) == 1 else 0)


def _is_month(word: str) -> bool:
    lower = word.lower()
    return lower[:3] in _MONTHS and (len(lower) == 3 or lower == "sept" or lower in _LONG_MONTHS)


def most_precise_date(values: Sequence[str]) -> str | None:
    """The first date among the values, or one of the same year that says more."""
    dates = [found for value in texts(values) if (found := partial_date(value))]
    same_year = [found for found in dates if found[:4] == dates[0][:4]]
    return max(same_year, key=len, default=None)


def _valid_date(year: int, month: int, day: int) -> str | None:
    if not 1000 <= year <= 2999:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return f"{year:04}-{month:02}" if 1 <= month <= 12 else f"{year:04}"


def decimal(value: str | None, low: float, high: float) -> float | None:
    """A number at the text's beginning ("-6.20 dB", "120,5"), if it is from `low` to `high`."""
    if not value:
        return None
    match = _DECIMAL.match(value.strip()[:40])
    if match is None:
        return None
    number = float(match.group().replace(",", "."))
    return number if math.isfinite(number) and low <= number <= high else None


def tempo(values: Sequence[str]) -> float | None:
    """Beats a minute: the first tempo, or one with a fraction that is within 1 of it.

    MP4's own tag holds whole numbers only, so programs write the exact tempo besides. 0 is none.
    """
    found = [number for value in texts(values) if (number := decimal(value, 1, 1_000)) is not None]
    if not found:
        return None
    exact = (number for number in found if number % 1 and abs(number - found[0]) <= 1)
    return next(exact, found[0])


def r128_gain(value: str | None) -> float | None:
    """Opus' gain (256ths of a dB, for -23 LUFS) as ReplayGain's, in dB for -18 LUFS."""
    number = decimal(value, -32_768, 32_767)
    return None if number is None else round(number / 256 + _REFERENCE_SHIFT_DB, 2)


def musicbrainz_ids(values: Sequence[str]) -> list[str]:
    """The valid ids among the values, in order; a text may hold several."""
    found: list[str] = []
    for value in texts(values):
        for part in re.split(r"[\s;,/]+", value):
            try:
                if len(part) == 36:
                    found.append(str(uuid.UUID(part)))
            except ValueError:
                continue
    return found[:MOST_VALUES]


def musicbrainz_id(values: Sequence[str]) -> str | None:
    """The first valid id, or None."""
    return next(iter(musicbrainz_ids(values)), None)


def truth(value: str | None) -> bool:
    """Whether a flag is set: 1, true, yes."""
    return (value or "").strip().casefold() in {"1", "true", "yes"}


def isrcs(values: Sequence[str]) -> tuple[str, ...]:
    """The codes among the values, without dashes (ISO 3901: 12 letters and digits)."""
    codes = (
        code.replace("-", "").upper()
        for value in texts(values)
        for code in re.split(r"[;,/\s]+", value)
    )
    return tuple(dict.fromkeys(c for c in codes if len(c) == 12 and c.isascii() and c.isalnum()))
