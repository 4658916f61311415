"""What makes two things the same: folded names, sort keys, and the keys of an album. Pure."""

import hashlib
import unicodedata
from functools import lru_cache
from uuid import UUID

_SEPARATOR = "\x1f"  # ASCII's unit separator: folding takes it out of names
# Letters that decompose to nothing but are written without their stroke by many.
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
_KEY_LIMIT = 600  # bytes; PostgreSQL's index rows have some 2,700


@lru_cache(maxsize=1_024)  # a batch has the same names over and over
def fold(text: str) -> str:
    """The form in which names are compared and sorted.

    Case, accents, width (fullwidth forms, ligatures) and white space make no difference;
    punctuation does. A name of marks alone is kept as it is, so that it never gets empty.
    Very long ones are cut and end in a digest, so that they fit into an index.
    Method: NFKD, full case folding, marks of Latin, Greek and Cyrillic letters dropped, NFC.
    """
    if text.isascii() and text.isprintable():  # most are: nothing of it but case and space to fold
        return bounded(" ".join(text.lower().split()))
    return _folded(text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept: list[str] = []
    base = ""
    for character in decomposed:
        if unicodedata.combining(character):
            # Elsewhere a mark is a letter's sound (Japanese, Indic scripts), not an accent.
            if base < "\u0530":
                continue
        else:
            base = character
        kept.append(character if character.isprintable() else " ")
    folded = unicodedata.normalize("NFC", "".join(kept)).casefold().translate(_STROKES)
    return bounded(" ".join(folded.split()) or " ".join(text.split()))


def bounded(key: str) -> str:
    """The key, or for a very long one its beginning and a digest of it."""
    if len(key) * 4 <= _KEY_LIMIT:
        return key
    told = key.encode()
    if len(told) <= _KEY_LIMIT:
        return key
    return told[:400].decode(errors="ignore") + hashlib.sha256(told).hexdigest()


def sort_key(name: str, sort_name: str | None = None) -> str:
    """The key of a keyset order: the given sort name's, else the name's, folded.

    Articles are moved only where a sort name says so ("Beatles, The"): which words are articles
    depends on the language.
    """
    return fold(sort_name or name)


def year_of(date: str | None) -> int | None:
    """The year of a date like 1999, 1999-12 or 1999-12-31; None where there is no sane one."""
    digits = (date or "").partition("-")[0]
    if len(digits) == 4 and digits.isascii() and digits.isdigit() and digits != "0000":
        return int(digits)
    return None


def place_key(
    *, title: str, folder: str, library_id: UUID, musicbrainz_release_id: UUID | None = None
) -> str:
    """Where the tracks of an album come together.

    A MusicBrainz release is one album wherever its files are. Without one it is a title in a
    folder (disc folders stripped by the caller, so that a set of many discs is one).
    """
    if musicbrainz_release_id is not None:
        return f"mb{_SEPARATOR}{musicbrainz_release_id}"
    return bounded(_SEPARATOR.join((library_id.hex, folder, fold(title))))


def owner_key(
    *,
    artist_credit: str,
    folder: str,
    is_compilation: bool = False,
    is_artist_told: bool = True,
    release_date: str | None = None,
    musicbrainz_release_id: UUID | None = None,
) -> str:
    """Whose an album is among those of one place, as a track of it tells; '' where it does not.

    A compilation's tracks differ in artist: place and being one hold it together. In the
    library's root all kinds of files may lie: there the track's artist counts where no album
    artist is tagged, and the year tells editions apart.
    """
    if musicbrainz_release_id is not None:
        return ""
    if is_compilation:
        return "various"
    if folder:
        return f"artist{_SEPARATOR}{fold(artist_credit)}" if is_artist_told else ""
    return _SEPARATOR.join(("artist", fold(artist_credit), str(year_of(release_date) or "")))
