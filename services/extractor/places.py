"""What a file's place tells: the album's folder, the artist's folder. Pure."""

import re

_DISC_FOLDER = re.compile(
    r"(?:(?:cd|dis[ck]|dvd|lp)[\s._#-]*\d{1,3}|side[\s._-]*[a-d])(?:\W.*)?", re.IGNORECASE
)


def album_folder(path: str) -> str:
    """The folder of a file's album, below the root: folders like `CD1` or `Disc 2` are left out."""
    folder = path.rpartition("/")[0]
    parent, _, name = folder.rpartition("/")
    return parent if parent and _DISC_FOLDER.fullmatch(name) else folder


def is_named_after(folder: str, artist: str) -> bool:
    """Whether a folder has an artist's name, but for punctuation ("ACDC", "Beatles, The")."""
    name = _letters(folder.rpartition("/")[2])
    turned = re.sub(r"^(the|a|die|der|das|les|la|el|los)\s+(.*)$", r"\2 \1", artist, flags=re.I)
    return bool(name) and name in {_letters(artist), _letters(turned)}


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
