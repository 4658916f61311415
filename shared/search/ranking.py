"""How hits are scored, the same in every engine. Pure.

A document's score is the sum over the words of the query. A word's score is that of the field
that it matches best, plus a tenth of the others. In a field it is the field's weight times the
worth of the kind of match.
"""

from shared.search.tokenizer import words

WEIGHTS = {"title": 3.0, "artist": 2.5, "album": 2.0, "genre": 1.5, "chapter": 1.25, "path": 1.0}
"""The weight of each field."""

EXACT, PREFIX, FUZZY = 1.0, 0.3, 0.08
"""The worth of a match: the word itself, its beginning, a word with a typo or two. The steps are
larger than those of the weights (1 to 3), so that a better match in any field wins."""

BM25 = 0.01
"""The factor of BM25, whose values go up to some 25. It only orders hits that are equal otherwise:
short fields and rare words first."""

OTHER_FIELDS = 0.1
"""The share that the fields besides the best one add."""

FACET_VALUES = 20
"""The number of values of a facet that are returned, the most frequent first."""

_MOST_WORDS = 24
_MOST_CHARACTERS = 20_000
_ONE_TYPO_FROM, _TWO_TYPOS_FROM, _NO_TYPOS_FROM = 4, 8, 40


def wanted(text: str) -> list[str]:
    """Return the words of a query; the last one may be the beginning of a word."""
    return words(text[:_MOST_CHARACTERS])[:_MOST_WORDS]


def typos(word: str) -> int:
    """Return how many typos (missing, added, other or swapped letters) a word may have: 0 to 2."""
    if len(word) >= _NO_TYPOS_FROM:
        return 0
    return (len(word) >= _ONE_TYPO_FROM) + (len(word) >= _TWO_TYPOS_FROM)
