"""Who is credited: the artists of a track or an album, and who else took part. Pure."""

from dataclasses import replace
from functools import lru_cache

from services.extractor.tags import normalise
from services.extractor.tags.credits import CreditRules, credited_names
from services.extractor.tags.model import Contributor, CreditedName
from services.extractor.tags.tag_values import TagValues, is_short
from shared.contracts.credits import CONTRIBUTOR_ROLES

MOST_CONTRIBUTORS = 200


def credited_artists(
    tags: TagValues, credit: str, listed: str, ids: str
) -> tuple[tuple[CreditedName, ...], str]:
    """The artists that tags of these names tell, and the credit as it is shown.

    Args:
        tags: those of the file.
        credit: the tag of the whole credit.
        listed: that of the names one by one.
        ids: that of the artists' MusicBrainz ids.
    """
    told = (tuple(tags.all(credit)), tuple(tags.all(listed)), tuple(tags.all(ids)))
    credited = _credited if is_short(told) else _credited.__wrapped__
    return credited(*told, tags.rules.credits)


@lru_cache(maxsize=1_024)  # an album's tracks mostly have one artist
def _credited(
    credit: tuple[str, ...], listed: tuple[str, ...], ids: tuple[str, ...], rules: CreditRules
) -> tuple[tuple[CreditedName, ...], str]:
    return credited_names(
        normalise.texts(credit),
        listed=normalise.texts(listed),
        ids=normalise.musicbrainz_ids(ids),
        rules=rules,
    )


def sorted_by(names: tuple[CreditedName, ...], sort: str | None) -> tuple[CreditedName, ...]:
    """The sort name of a credit is the artist's where there is one artist."""
    return (replace(names[0], sort_name=sort),) if len(names) == 1 and sort else names


def contributors(tags: TagValues) -> tuple[Contributor, ...]:
    """Who took part beside the artists, by roles; MOST_CONTRIBUTORS at most."""
    found: dict[Contributor, None] = {}
    for role in tags.there(CONTRIBUTOR_ROLES):
        values = normalise.texts(tags.all(role))
        for value in values:
            told, instrument = played(value) if role == "performer" else (value, None)
            names, _ = credited_names([told], rules=tags.rules.credits)
            if role == "composer" and len(values) == 1:
                names = sorted_by(names, tags.one("composersort"))
            for name in names:
                found[Contributor(role, replace(name, join_phrase=""), instrument)] = None
    return tuple(found)[:MOST_CONTRIBUTORS]


def played(value: str) -> tuple[str, str | None]:
    """A performer and the instrument: "Ann (guitar)" is Ann, who plays the guitar."""
    if not value.endswith(")"):
        return value, None
    depth = 0
    for place in range(len(value) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(value[place], 0)
        if depth == 0:
            name, instrument = value[:place].strip(), value[place + 1 : -1].strip()
            return (name, instrument or None) if name else (value, None)
    return value, None
