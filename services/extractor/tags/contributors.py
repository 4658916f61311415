"""Who took part besides the credited artists: composers, performers, producers. Pure."""

from services.extractor.tags import normalise
from services.extractor.tags.credit_parsing import credited_names, with_sort_name
from services.extractor.tags.model import Contributor
from services.extractor.tags.raw_tags import TagValues
from services.extractor.tags.rules import CreditRules
from shared.contracts.credits import CONTRIBUTOR_ROLES

MOST_CONTRIBUTORS = 200


def contributors(tags: TagValues, rules: CreditRules) -> tuple[Contributor, ...]:
    """Who took part besides the artists, by role; MOST_CONTRIBUTORS at most."""
    found: dict[Contributor, None] = {}
    for role in tags.present(CONTRIBUTOR_ROLES):
        values = normalise.texts(tags.all(role))
        for value in values:
            credit, instrument = _performer(value) if role == "performer" else (value, None)
            names, _ = credited_names([credit], rules=rules)
            if role == "composer" and len(values) == 1:
                names = with_sort_name(names, tags.one("composersort"))
            for name in names:
                found[Contributor(role, name._replace(join_phrase=""), instrument)] = None
    return tuple(found)[:MOST_CONTRIBUTORS]


def _performer(value: str) -> tuple[str, str | None]:
    """A performer and the instrument: "Ann (guitar)" is Ann, who plays the guitar."""
    if not value.endswith(")"):
        return value, None
    depth = 0
    for position in range(len(value) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(value[position], 0)
        if depth == 0:
            name, instrument = value[:position].strip(), value[position + 1 : -1].strip()
            return (name, instrument or None) if name else (value, None)
    return value, None
