"""Tags whose meaning depends on other tags of the same file. Pure.

Several programs have names of their own for a field, or write a list as one text. What such a tag
means is decided here, where all tags of the file are known.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from services.extractor.tags import normalise
from services.extractor.tags.listed_names import joined_parts
from services.extractor.tags.raw_tags import JOINED, RawTags, internal_name
from services.extractor.tags.rules import CreditRules

_SECOND_NAMES = {
    "albumartist:credit": ("albumartist", "albumartist_credit"),
    "artist:author": ("artist", "author"),
    "comment:description": ("comment", "description"),
    "comment:wm/text": ("comment", "wm/text"),
}
"""Tags that are a field only if its own tag is missing; else they keep their own name."""
_IDS_OF = {
    "artist": "musicbrainz_artistid", "artists": "musicbrainz_artistid",
    "albumartist": "musicbrainz_albumartistid", "albumartists": "musicbrainz_albumartistid",
}  # fmt: skip
_CREDIT_OF = {"artists": "artist", "albumartists": "albumartist"}
_LISTED_BY_ID3 = frozenset(("composer", "lyricist", "writer", "conductor", "remixer", "mood"))
"""ID3v2.3 lists people by "/" itself; nobody's mood has one."""
_RELEASE_TYPES = frozenset(
    """album single ep broadcast other compilation soundtrack spokenword interview audiobook live
    remix dj-mix mixtape/street demo audio fieldrecording""".split()  # noqa: SIM905 - a list of words
) | {"audio drama", "field recording", "mixtape", "street"}
_LANGUAGE_OF_LYRICS = re.compile(r"(?:lyrics|uslt)[-:](?:.*[-:])?[a-z]{3}(?:[-:].*)?")
"""FFmpeg has the description between the two: "lyrics-live-eng"."""
_LONE = frozenset(("replaygain_reference_loudness",))
_REFERENCE = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,6})?)\s*(lufs|lkfs|db)?", re.IGNORECASE)
_GAINS = ("replaygain_track_gain", "replaygain_album_gain")
_REFERENCE_LUFS = -18.0
_REFERENCE_DB = 89.0
"""ReplayGain's reference, as a loudness and as a sound pressure level."""


def merge_variants(raw: RawTags, names: Iterable[str], rules: CreditRules) -> RawTags:
    """The tags with those among `names` merged into the fields that they belong to.

    Args:
        raw: the file's tags; they are not changed.
        names: of the tags that are no field's.
        rules: the names of artists that contain a "/".
    """
    variants = [name for name in names if ":" in name or "-" in name or name in _LONE]
    are_ids_joined = _has_joined_ids(raw)
    if not variants and not are_ids_joined:
        return raw
    merged = dict(raw)
    for name in variants:
        if name in _SECOND_NAMES:
            _merge_second_name(merged, name)
        elif name.startswith("performer:"):
            _merge_performer(merged, name)
        elif name.startswith("quodlibet::"):
            _merge_quod_libet(merged, name)
        elif name == "replaygain_reference_loudness":
            _shift_gains(merged, merged[name])
        elif _LANGUAGE_OF_LYRICS.fullmatch(name):  # FFmpeg's name of ID3's USLT
            merged["lyrics"] = [*merged.get("lyrics", ()), *merged.pop(name)]
    # Converters keep the lists of an ID3v2.3 tag as they are in tags of other kinds.
    if merged.pop(JOINED, None) is not None or are_ids_joined:
        _split_joined(merged, rules)
    return merged


def _merge_second_name(tags: RawTags, name: str) -> None:
    field, own_name = _SECOND_NAMES[name]
    values = tags.pop(name)
    if any(value.strip() for value in tags.get(field, ())):
        if normalise.texts(values) != normalise.texts(tags[field]):
            tags.setdefault(own_name, values)
    else:
        tags[field] = values


def _merge_performer(tags: RawTags, name: str) -> None:
    """`PERFORMER:GUITAR=Gus` is `PERFORMER=Gus (guitar)`."""
    instrument = name.partition(":")[2].strip()
    credited = [f"{value} ({instrument})" if instrument else value for value in tags.pop(name)]
    tags["performer"] = [*tags.get("performer", ()), *credited]


def _merge_quod_libet(tags: RawTags, name: str) -> None:
    """Quod Libet has TPE2 for performers and TPE4 for arrangers, and describes what it adds."""
    own = internal_name(name.removeprefix("quodlibet::"))
    values = tags.pop(name)
    if own == "albumartist" and tags.get("albumartist", values) != values:
        tags["performer"] = [*tags.get("performer", ()), *tags["albumartist"]]
        tags["albumartist"] = values
    elif own.startswith("performer:"):
        tags[own] = values
        _merge_performer(tags, own)
    else:
        tags.setdefault(own, values)


def _shift_gains(tags: RawTags, references: Sequence[str]) -> None:
    """Bring gains for another loudness, which its tag names, to -18 LUFS."""
    found = _REFERENCE.match(references[0]) if references else None
    if found is None:
        return
    reference = float(found[1])
    if reference < 0 and (found[2] or "lufs").lower() != "db":
        shift_db = _REFERENCE_LUFS - reference
    elif reference > 0 and (found[2] or "db").lower() == "db":
        shift_db = _REFERENCE_DB - reference
    else:
        return
    for name in _GAINS:
        gain_db = normalise.decimal(next(iter(tags.get(name, ())), None), -100, 100)
        if gain_db is not None and abs(shift_db) <= 60:
            tags[name] = [f"{gain_db + shift_db:.2f} dB"]


def _split_joined(tags: RawTags, rules: CreditRules) -> None:
    """Split the lists that ID3v2.3 joins by "/", where the parts are no parts of names."""
    is_joined = _has_joined_ids(tags) or _lists_credited(tags)

    def are_artists(name: str, parts: list[str]) -> bool:
        ids = len(normalise.musicbrainz_ids(tags.get(_IDS_OF[name], ())))
        if ids:
            return ids == len(parts)
        return is_joined or not _may_be_one_name(parts)

    def split(name: str, are_values: Callable[[list[str]], bool]) -> None:
        credit = " ".join(tags.get(_CREDIT_OF.get(name, ""), ()))
        values: list[str] = []
        for value in tags.get(name, ()):
            # A "/" between spaces is a join phrase: the credit's own rules split it.
            parts = [] if " / " in value else joined_parts(value, credit, rules.whole)
            values += parts if len(parts) > 1 and are_values(parts) else [value]
        if values:
            tags[name] = values

    for name in _IDS_OF:
        # A credit beside a list is no list itself.
        if name not in _CREDIT_OF.values() or not _is_listed(tags, name):
            split(name, partial(are_artists, name))
    for name in _LISTED_BY_ID3:
        split(name, lambda _: True)
    for name in ("label", "catalognumber"):  # "Sony/ATV" is one label
        split(name, lambda _: is_joined)
    split("releasetype", lambda parts: all(part.casefold() in _RELEASE_TYPES for part in parts))


def _is_listed(tags: RawTags, credit: str) -> bool:
    listed = next(name for name, of in _CREDIT_OF.items() if of == credit)
    return bool(tags.get(listed)) and tags[listed] != tags.get(credit)


def _may_be_one_name(parts: list[str]) -> bool:
    """Whether the parts are as short as those of "AC/DC", "K/DA" and "M/A/R/R/S"."""
    lengths = [len(part.strip()) for part in parts]
    return min(lengths) == 1 or max(lengths) <= 2


def _has_joined_ids(tags: RawTags) -> bool:
    """Whether the program that wrote the file joined ids, as it then did with all lists."""
    return any("/" in value for name in set(_IDS_OF.values()) for value in tags.get(name, ()))


def _lists_credited(tags: RawTags) -> bool:
    """Whether the parts of the list of artists are those of the credit."""
    credit = " ".join(tags.get("artist", ()))
    listed = "/".join(tags.get("artists", ()))
    parts = joined_parts(listed, credit)
    folded = credit.casefold()
    return (
        len(parts) > 1
        and folded != listed.casefold()
        and all(part.casefold() in folded for part in parts)
    )
