"""Title, number, artist and album of an untagged file, by its name and its folders. Pure.

What is guessed is marked: by `title_is_file_name`, and by `GUESSED_TAG` among the other tags. The
patterns are the usual ones of rippers and shops:

    Artist/Album/03 Title          Artist/Album (1999)/CD2/03 - Title
    Artist - Album/03. Title       Artist/1999 - Album/2-03 Title
    Artist - Title                 03 - Artist - Title         Artist - Album - 03 - Title
"""

import re
from typing import NamedTuple

from services.extractor.paths import album_folder, without_disc
from services.extractor.tags import normalise
from services.extractor.tags.credit_parsing import credited_names
from services.extractor.tags.model import NO_RELEASE, Numbered, Release, Tags
from services.extractor.tags.rules import CreditRules
from shared.contracts.credits import VARIOUS_ARTISTS
from shared.contracts.tags import GUESSED_TAG

_DASH = r"\s+[-\u2013\u2014]\s+"
_split_at_dashes = re.compile(_DASH).split
_NUMBER_FIRST = re.compile(
    r"[(\[]?(?:(?P<disc>\d{1,2})[-.](?=\d))?(?P<number>\d{1,3}|[A-H]\d{1,2})"
    r"(?P<sign>\s*[-\u2013.)\]_:]+\s*|\s+)(?P<rest>(?=.*[^\W\d_]).+)"
)
_is_number = re.compile(r"\d{1,3}").fullmatch
_TRACK_NUMBER = re.compile(r"track\s*(\d{1,3})", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"[(\[]?((?:19|20)\d\d)[)\]]?(?:\s*[-\u2013.]\s*|\s+)(?=\S)")
_YEAR_LAST = re.compile(r"\s*[(\[]((?:19|20)\d\d)[)\]]\s*$")
_NOTE_LAST = re.compile(
    r"\s*[(\[{](?:flac|mp3|m4a|aac|ogg|opus|alac|wav|web|cd|vinyl|lossless|\d+\s*kbps|v0|320|"
    r"\d+[- ]?bit[^)\]}]*)[)\]}]\s*$",
    re.IGNORECASE,
)
_VARIOUS = frozenset(("va", "various", "various artists", "compilations"))
_NO_ALBUM = frozenset(("unknown album", "singles", "downloads", "music", "unsorted", "tracks"))
_NO_ARTIST = frozenset(("unknown artist", "unknown", "downloads", "music", "albums", "unsorted"))


class _Guess(NamedTuple):
    """What a path says; '' and None where it says nothing."""

    title: str = ""
    artist: str = ""
    number: int | None = None
    disc: int | None = None
    album: str = ""
    album_artist: str = ""
    year: str | None = None


def guess_from_path(tags: Tags, path: str, rules: CreditRules) -> Tags:
    """Fill in what the path says, where the file has neither title nor artist nor album.

    Args:
        tags: of the file; they are changed.
        path: below the library's root.
        rules: how credits are split.
    """
    if not tags.title_is_file_name or tags.artists or tags.release is not NO_RELEASE:
        return tags
    guess = _guess(path)
    guessed: list[str] = ["title"] if guess.title else []
    if guess.title:
        tags.title = normalise.text(guess.title)
    if guess.artist:
        tags.artists, tags.artist_credit = credited_names([guess.artist], rules=rules)
        guessed.append("artist")
    if guess.number is not None and tags.track.number is None:
        tags.track = Numbered(guess.number, tags.track.total)
        guessed.append("tracknumber")
    if guess.disc is not None and tags.disc.number is None:
        tags.disc = Numbered(guess.disc, tags.disc.total)
        guessed.append("discnumber")
    if guess.album:
        tags.release = _release(guess, tags, rules)
        guessed.append("album")
    if guess.year and tags.release_date is None:
        tags.release_date = guess.year
        guessed.append("date")
    if len(guessed) > 1:  # a title alone is marked by itself
        tags.others = {**tags.others, GUESSED_TAG: guessed}
    return tags


def _release(guess: _Guess, tags: Tags, rules: CreditRules) -> Release:
    is_compilation = guess.album_artist.casefold() in _VARIOUS
    name = VARIOUS_ARTISTS if is_compilation else guess.album_artist
    artists, credit = credited_names([name] if name else [], rules=rules)
    if not artists:
        artists, credit = tags.artists[:1], tags.artists[0].name if tags.artists else ""
    return Release(
        title=guess.album,
        artists=artists,
        artist_credit=credit,
        is_artist_told=bool(name),
        is_compilation=is_compilation,
        date=tags.release_date or guess.year,
    )


def _guess(path: str) -> _Guess:
    folder, _, name = path.rpartition("/")
    stem = _spaced(name.rpartition(".")[0] or name)
    disc, number, rest = _number_first(stem, in_folder=bool(folder))
    album, album_artist, year = _album(folder, has_number=number is not None)
    is_one_artists = bool(album_artist) and album_artist.casefold() not in _VARIOUS
    parts = _split_at_dashes(rest)
    if number is not None and is_one_artists and parts[0].casefold() != album_artist.casefold():
        parts = [rest]  # "03 Song - Live": the artist is known
    artist = parts.pop(0) if len(parts) > 1 else ""
    if number is None and artist:
        parts, number = _number_later(parts)
    in_name = parts.pop(0) if artist and len(parts) > 1 and number is not None else ""
    title = " - ".join(parts)
    if not artist and is_one_artists:
        artist = album_artist
    if not album and in_name:
        album = in_name
    return _Guess(title, artist, number, disc, album, album_artist, year)


def _number_first(stem: str, *, in_folder: bool) -> tuple[int | None, int | None, str]:
    """Disc, number and the rest of a name that begins with a number."""
    found = _NUMBER_FIRST.fullmatch(stem)
    if found is None:
        only = _is_number(stem) or _TRACK_NUMBER.fullmatch(stem)
        return None, int(only[only.lastindex or 0]) if only and in_folder else None, stem
    # "99 Balloons" and "7 Seconds" are titles.
    written = found["number"]
    if not found["sign"].strip() and not (
        written[0] == "0" or written[0].isalpha() or (in_folder and len(written) > 1)
    ):
        return None, None, stem
    number = normalise.numbered(written).number
    return int(found["disc"]) if found["disc"] else None, number, found["rest"]


def _number_later(parts: list[str]) -> tuple[list[str], int | None]:
    """The parts after the artist without the number, which is a part or begins the last one."""
    if len(parts) > 1 and _is_number(parts[-2]):
        return [*parts[:-2], parts[-1]], int(parts[-2])
    found = _NUMBER_FIRST.fullmatch(parts[-1])
    if found is None or len(parts) == 1 or not found["number"].isdecimal():
        return parts, None
    return [*parts[:-1], found["rest"]], int(found["number"])


def _album(folder: str, *, has_number: bool) -> tuple[str, str, str | None]:
    """Album, album artist and year by the folder; a file in the root has none."""
    above, _, name = album_folder(folder + "/").rpartition("/")
    name, _, _ = without_disc(_spaced(name))
    album, year = _without_year(name)
    parts = _split_at_dashes(album)
    if len(parts) > 1:
        artist, more = parts[0], " - ".join(parts[1:])
        album, later_year = _without_year(more)
        return album, artist, year or later_year
    artist = _spaced(above.rpartition("/")[2])
    if album.casefold() in _NO_ALBUM or not (above or has_number):
        return "", "", None
    if artist.casefold() in _NO_ARTIST:
        artist = ""
    return album, artist, year


def _without_year(name: str) -> tuple[str, str | None]:
    while found := _NOTE_LAST.search(name):
        if not found.start():
            break
        name = name[: found.start()]
    for pattern in (_YEAR_FIRST, _YEAR_LAST):
        found = pattern.search(name) if pattern is _YEAR_LAST else pattern.match(name)
        if found is not None:
            rest = (name[: found.start()] + name[found.end() :]).strip()
            if rest:
                return rest, found[1]
    return name.strip(), None


def _spaced(name: str) -> str:
    """A name with spaces, where underscores stand for them."""
    clean = normalise.text(name)
    return clean if " " in clean else clean.replace("_", " ").strip() or clean
