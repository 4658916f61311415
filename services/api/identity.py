"""Keys that are equal for equal names, artists, albums or tags, and sort keys. Pure."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from shared.contracts.credits import VARIOUS_ARTISTS

_SEPARATOR = "\x1f"  # ASCII's unit separator: folding removes it from names
# Unicode does not decompose these letters, but many people write them without the stroke.
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
# Apostrophes, quotes and dashes: which of them is typed depends on the program, not on the name.
_TYPOGRAPHIC = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_TYPED = str.maketrans(_TYPOGRAPHIC)
_KEY_LIMIT_BYTES = 600  # PostgreSQL's index rows hold some 2,700


@lru_cache(maxsize=1_024)  # a batch has the same names over and over
def fold(text: str) -> str:
    """The form in which names are compared and sorted.

    Case, accents, width (fullwidth forms, ligatures), white space and the kind of apostrophes,
    quotes and dashes make no difference; other punctuation does. A name of combining marks alone
    stays as it is, so that no name becomes empty.
    Very long names are cut and end in a digest, so that they fit into an index.
    Method: NFKD, full case folding, marks of Latin, Greek and Cyrillic letters dropped, NFC.
    """
    if text.isascii() and text.isprintable():  # most are: only case and space differ
        return bounded(" ".join(text.lower().replace("`", "'").split()))
    return _folded(text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_TYPED).casefold())
    kept: list[str] = []
    base = ""
    for character in decomposed:
        if unicodedata.combining(character):
            # In other scripts (Japanese, Indic) a mark is no accent: it changes the sound.
            if base < "\u0530":
                continue
        else:
            base = character
        kept.append(character if character.isprintable() else " ")
    folded = unicodedata.normalize("NFC", "".join(kept)).casefold().translate(_STROKES)
    return bounded(" ".join(folded.split()) or " ".join(text.split()))


def bounded(key: str) -> str:
    """The key; of a very long one the beginning and a digest of all of it."""
    if len(key) * 4 <= _KEY_LIMIT_BYTES:
        return key
    encoded = key.encode()
    if len(encoded) <= _KEY_LIMIT_BYTES:
        return key
    return encoded[:400].decode(errors="ignore") + hashlib.sha256(encoded).hexdigest()


_SEPARATORS = str.maketrans("", "", " -_")


@lru_cache(maxsize=1_024)
def genre_key(name: str) -> str:
    """The form in which genres are compared: folded, without spaces, hyphens and underscores.

    "Hip Hop", "Hip-Hop" and "HipHop" are one genre. Words, "&" and "and", or other punctuation are
    not compared by meaning: "R&B" and "RnB" are two.
    """
    folded = fold(name)
    return folded.translate(_SEPARATORS) or folded


def sort_key(name: str, sort_name: str | None = None) -> str:
    """The folded sort name, or else the folded name, to sort by.

    Articles are moved only where a sort name does so ("Beatles, The"): which words are articles
    depends on the language.
    """
    return fold(sort_name or name)


def year_of(date: str | None) -> int | None:
    """The year of a date like 1999, 1999-12 or 1999-12-31; None of any other text."""
    digits = (date or "").partition("-")[0]
    if len(digits) == 4 and digits.isascii() and digits.isdigit() and digits != "0000":
        return int(digits)
    return None


def title_key(library_id: UUID, title: str) -> str:
    """The key that all albums of one title in a library have in common."""
    return bounded(f"{library_id.hex}{_SEPARATOR}{fold(title)}")


def place_key(
    *, title: str, folder: str, library_id: UUID, musicbrainz_release_id: UUID | None = None
) -> str:
    """The key of the place where the tracks of an album are looked for first.

    A MusicBrainz release is one album wherever its files are. Otherwise the place is a title in a
    folder. Albums are grouped by more than their place: `services/api/store/albums/grouping.py`.
    """
    if musicbrainz_release_id is not None:
        return release_place_key(musicbrainz_release_id)
    return bounded(_SEPARATOR.join((library_id.hex, folder, fold(title))))


def release_place_key(musicbrainz_release_id: UUID | str) -> str:
    """The place key of a MusicBrainz release."""
    return f"mb{_SEPARATOR}{musicbrainz_release_id}"


VARIOUS_ARTISTS_KEY = fold(VARIOUS_ARTISTS)


def owner_key(
    *,
    artist_credit: str,
    folder: str,
    is_compilation: bool = False,
    is_artist_tagged: bool = True,
    musicbrainz_release_id: UUID | None = None,
) -> str:
    """The key of an album's owner among the albums of one place; '' where a track names none.

    A tagged album artist counts more than the compilation flag. The library's root may hold files
    of all kinds: there the track's artist counts where no album artist is tagged.
    """
    if musicbrainz_release_id is not None:
        return ""
    artist_key = fold(artist_credit)
    if artist_key == VARIOUS_ARTISTS_KEY or (is_compilation and not is_artist_tagged):
        return "various"
    return f"artist{_SEPARATOR}{artist_key}" if is_artist_tagged or not folder else ""


_DIGESTED = msgspec.json.Encoder(order="deterministic", enc_hook=dict)


def tags_digest(
    columns: Mapping[str, Any],
    credits_: Sequence[tuple[Any, ...]],
    genres: Mapping[str, str],
    details: Sequence[Any],
) -> bytes:
    """Return the SHA-256 of all that an item's tags say of a track, as JSON.

    The album's id is not part of it: which album the tags mean depends on other tracks too.
    Digests are stored, and a track whose digest differs was changed. So with another form of the
    JSON every file that is read again looks changed, once: its track is indexed again.
    """
    content = _DIGESTED.encode([columns, credits_, list(genres.items()), details])
    return hashlib.sha256(content).digest()
