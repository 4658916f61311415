"""What paths say: which files are music or images, and the folders of albums, discs and artists.

Pure: the names alone count, and no file is looked at.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

AUDIO_SUFFIXES = frozenset(
    (
        ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".ape", ".asf", ".dff", ".dsf", ".eac3",
        ".ec3", ".flac", ".m4a", ".m4b", ".m4p", ".m4r", ".mka", ".mp+", ".mp2", ".mp3", ".mp4",
        ".mpc", ".ofr", ".ofs", ".oga", ".ogg", ".opus", ".spx", ".tak", ".tta", ".wav", ".wave",
        ".weba", ".webm", ".wma", ".wv",
    )
)  # fmt: skip
"""Endings that a scan takes for music, in lower case."""

IMAGE_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif",
    ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".svg",
))  # fmt: skip
"""Endings of folder images, in lower case. Those that no browser shows are looked at to say so."""

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_NUMBERS = {word: str(number) for words in (_WORDS, _ROMAN) for number, word in enumerate(words, 1)}
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})(?!\w)"
_MEDIUM = "cd|dis[ck]|dvd|lp|sacd|hdcd|vinyl|record|cassette|tape|(?:digital[\\s_]+)?medi(?:a|um)"
_DISC_FOLDER = re.compile(
    rf"\[?(?:(?:{_MEDIUM})[\s._#-]*({_NUMBER})|side[\s._-]*[a-z](?!\w)"
    r"|bonus[\s._-]*(?:cd|dis[ck]|dvd|lp|vinyl))\]?(?:\W.*)?",
    re.IGNORECASE,
)
# Bounded repeats: a title of a thousand spaces must not take seconds.
_SPACE = r"\s{0,4}"
_DISC = rf"(?:cd|dis[ck]){_SPACE}[#.]?{_SPACE}({_NUMBER})(?:{_SPACE}(?:of|/){_SPACE}({_NUMBER}))?"
_NAMED = rf"(?:{_SPACE}(?::|\s[-\u2013]\s){_SPACE}([^()\[\]]{{1,200}}?))?"
_DISC_AT_END = re.compile(
    rf"(?:{_SPACE}[(\[]{_SPACE}(?:{_DISC}{_NAMED}|(bonus)\s{{1,4}}(?:cd|dis[ck])){_SPACE}[)\]]"
    rf"|(?:{_SPACE}[,:;]|\s[-\u2013]){_SPACE}{_DISC}{_NAMED}"
    rf"|(?<!compact)\s(?:cd|dis[ck])(\d{{1,2}})){_SPACE}$",
    re.IGNORECASE,
)
_BONUS_DISC = "2"
_LEADING_ARTICLE = re.compile(r"^(the|a|die|der|das|les|la|el|los)\s+(.*)$", re.IGNORECASE)


def suffix_of(name: str) -> str:
    """The ending of a file's name with its dot, in lower case; '' where there is none."""
    stem, dot, ending = name.rpartition(".")
    return dot + ending.lower() if stem else ""


def is_audio(name: str) -> bool:
    """Whether a scan takes a file of this name for music."""
    return suffix_of(name) in AUDIO_SUFFIXES


def without_disc(title: str) -> tuple[str, str | None, str | None]:
    """A title without the disc at its end, the disc, and the number of discs, in digits.

    "The Wall (Disc 2 of 2)", "The Wall [CD2]", "The Wall, Disc Two" and "The Wall (Disc II: Live)"
    are all "The Wall". A bonus disc is the second, as far as its title says.
    """
    name, number, total, _ = _parted(title)
    return name, number, total


def disc_name(title: str) -> str | None:
    """The disc's own name in a title: "Live" of "The Wall (Disc 2: Live)"."""
    return _parted(title)[3]


@lru_cache(maxsize=1_024)
def _parted(title: str) -> tuple[str, str | None, str | None, str | None]:
    found = _DISC_AT_END.search(title)
    if found is None or found.start() == 0:
        return title, None, None, None
    number, total, name, bonus, number_2, total_2, name_2, bare = found.groups()
    number = number or number_2 or bare or (bonus and _BONUS_DISC)
    return title[: found.start()], _digits(number), _digits(total or total_2), name or name_2


def _digits(number: str | None) -> str | None:
    return number and _NUMBERS.get(number.lower(), number)


def album_folder(path: str) -> str:
    """The folder of a file's album, below the root, without its disc.

    Of `The Wall/CD1` and `The Wall/Disc 2` that is the parent. Of `The Wall (Disc 2)` it is the
    name that the discs have in common, and no such folder needs to exist.
    """
    return _album_of(path.rpartition("/")[0])


@lru_cache(maxsize=1_024)
def _album_of(folder: str) -> str:
    parent, slash, name = folder.rpartition("/")
    if parent and _DISC_FOLDER.fullmatch(name):
        return parent
    return parent + slash + without_disc(name)[0]


def folders_beside(path: str) -> Sequence[str]:
    """The folders whose images matter for a file: its own, its album's, and that one's parent."""
    return _image_folders(path.rpartition("/")[0])


@lru_cache(maxsize=1_024)
def _image_folders(own: str) -> Sequence[str]:
    album = _album_of(own)
    return tuple(dict.fromkeys((own, album, album.rpartition("/")[0])))


def wanted_folders(paths: Iterable[str]) -> list[str]:
    """The same of several files, each folder once."""
    return list({folder: None for path in paths for folder in folders_beside(path)})


def is_around(folder: str, own: str) -> bool:
    """Whether a folder is `own` or one of its parents."""
    return folder in {"", own} or own.startswith(folder + "/")


def disc_of(path: str) -> int | None:
    """The number of the disc in the name of a file's folder; None where it has none."""
    return _disc_of_name(path.rpartition("/")[0].rpartition("/")[2])


@lru_cache(maxsize=1_024)
def _disc_of_name(name: str) -> int | None:
    found = _DISC_FOLDER.fullmatch(name)
    number = _digits(found[1]) if found else without_disc(name)[1]
    return int(number) if number else None


def is_named_after(folder: str, artist: str) -> bool:
    """Whether a folder is named after an artist, whatever the punctuation ("ACDC").

    An artist with a leading article may also be written as "Beatles, The".
    """
    name = _letters(folder.rpartition("/")[2])
    article_last = _LEADING_ARTICLE.sub(r"\2 \1", artist)
    return bool(name) and name in {_letters(artist), _letters(article_last)}


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
