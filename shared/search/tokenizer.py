"""How texts are made comparable and cut into words. Pure.

Both what is stored and what is looked for go through it, whatever the engine, which then cuts at
spaces only: case, accents and width don't matter, an apostrophe parts no word (`don't` is `dont`),
and every Chinese and Japanese character is a word of its own, for in those scripts nothing else
tells where a word ends.
"""

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek, Cyrillic; others' signs are vowels
_APOSTROPHES = re.compile(r"(?<=\w)['\u2018\u2019`\u00b4](?=\w)")
# Kana, ideographs (all planes that have them) and their compatibility forms.
_NO_SPACES = re.compile(
    "([\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
# Latin letters that no decomposition turns into plain ones.
_PLAIN = str.maketrans(
    dict(zip("øđðħıłŧŋəƀɓɗɛɔƙƴɲ", "oddhiltnabbdeokyn", strict=True))
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)
_WORD = re.compile(r"[^\W_]+", re.ASCII)
_LONGEST_WORD = 120


def fold(text: str) -> str:
    """The text as it is indexed and looked for; anything at all may be given."""
    text = text.encode(errors="replace").decode()  # lone surrogates
    if text.isascii():
        return _APOSTROPHES.sub("", text.casefold())
    # Apart, so that accents can be dropped, then together again for Hangul. Twice, since what is
    # taken apart may be a capital, and what is folded may be an accent.
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    apart = unicodedata.normalize("NFKD", plain)
    whole = unicodedata.normalize("NFKC", _ACCENTS.sub("", apart)).translate(_PLAIN)
    return _NO_SPACES.sub(r" \1 ", _APOSTROPHES.sub("", whole))  # wide ones are plain by now


def words(text: str) -> list[str]:
    """The words of a text, folded, in order; what is longer than any word is left out."""
    folded = fold(text)
    if folded.isascii():
        found = _WORD.findall(folded)
    else:
        # Marks (vowel signs, say) belong to the word; alone, as behind an emoji, they are none.
        parts = folded.translate(_PARTS).split()
        found = [part for part in parts if any(map(str.isalnum, part))]
    return [word for word in found if len(word) <= _LONGEST_WORD]


class _Parts(dict[int, str]):
    """Character -> itself where words are made of it, else a space; filled as they come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        of_words = character.isalnum() or unicodedata.category(character).startswith("M")
        self[code] = made = character if of_words else " "
        return made


_PARTS = _Parts()
