"""What a hit is worth: the same in every engine. Pure.

A document's score is the sum over the words looked for; a word's is that of the field it fits
best, plus a tenth of the others'. In a field: `WEIGHTS` times what the way to match is worth.
"""

from shared.search.tokenizer import words

WEIGHTS = {"title": 3.0, "artist": 2.5, "album": 2.0, "genre": 1.5, "path": 1.0}
"""What a word is worth in each field."""

EXACT, PREFIX, FUZZY = 1.0, 0.3, 0.08
"""What a way to match is worth. With the weights, which lie between 1 and 3, a word itself is worth
more in any field than its beginning, and that more than a word a typo or two away."""

BM25 = 0.01
"""BM25 (up to some 25) only orders what is equal otherwise: short fields and rare words first."""

OTHER_FIELDS = 0.1
"""What the fields besides the best one add."""

FACET_VALUES = 20
"""How many values of a facet are told, most first."""

_MOST_WORDS = 24
_MOST_CHARACTERS = 20_000
_ONE_TYPO_FROM, _TWO_TYPOS_FROM, _NO_TYPOS_FROM = 4, 8, 40


def wanted(text: str) -> list[str]:
    """The words that are looked for; the last one may be a beginning."""
    return words(text[:_MOST_CHARACTERS])[:_MOST_WORDS]


def typos(word: str) -> int:
    """How many letters may be wrong (missing, added, others, two swapped): 0, 1 or 2."""
    if len(word) >= _NO_TYPOS_FROM:
        return 0
    return (len(word) >= _ONE_TYPO_FROM) + (len(word) >= _TWO_TYPOS_FROM)
