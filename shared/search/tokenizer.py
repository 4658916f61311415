"""Folds texts, so that they can be compared, and splits them into words. Pure.

Both documents and queries go through it, whatever the engine, which then splits at spaces only.
Case, accents and width do not matter. An apostrophe does not split a word: `don't` is `dont`.
Every Chinese and Japanese character is a word of its own, since those scripts do not separate
words.
"""

import re
import unicodedata

# Of Latin, Greek and Cyrillic. The combining marks of other scripts are vowels, and stay.
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile(r"(?<=\w)['\u2018\u2019`\u00b4](?=\w)")
# Kana, ideographs of all planes, and their compatibility forms.
_NO_SPACES = re.compile(
    "([\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
# Latin letters that Unicode does not decompose into a plain letter and an accent.
_PLAIN = str.maketrans(
    dict(zip("øđðħıłŧŋəƀɓɗɛɔƙƴɲ", "oddhiltnabbdeokyn", strict=True))
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)
_WORD = re.compile(r"[^\W_]+", re.ASCII)
_LONGEST_WORD = 120


def fold(text: str) -> str:
    """Return the text as it is indexed and searched for; takes any text at all."""
    text = text.encode(errors="replace").decode()  # replaces lone surrogates
    if text.isascii():
        return _APOSTROPHES.sub("", text.casefold())
    # Decomposed, so that accents can be dropped, then composed again for Hangul. Decomposed twice,
    # since decomposing may yield a capital letter, and case folding may yield an accent.
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    decomposed = unicodedata.normalize("NFKD", plain)
    whole = unicodedata.normalize("NFKC", _ACCENTS.sub("", decomposed)).translate(_PLAIN)
    # Again, since full-width apostrophes are plain ones by now.
    return _NO_SPACES.sub(r" \1 ", _APOSTROPHES.sub("", whole))


def words(text: str) -> list[str]:
    """Return the words of a text, folded, in order, without those of over 120 characters."""
    folded = fold(text)
    if folded.isascii():
        found = _WORD.findall(folded)
    else:
        # Marks, such as vowel signs, are part of a word. Alone, as behind an emoji, they are none.
        parts = folded.translate(_PARTS).split()
        found = [part for part in parts if any(map(str.isalnum, part))]
    return [word for word in found if len(word) <= _LONGEST_WORD]


class _Parts(dict[int, str]):
    """Character -> itself if it is part of words, else a space; filled on demand."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        of_words = character.isalnum() or unicodedata.category(character).startswith("M")
        self[code] = made = character if of_words else " "
        return made


_PARTS = _Parts()
