"""How texts are made comparable before an index cuts them into words. Pure.

Both what is stored and what is looked for go through it, whatever the engine: case, accents and
width don't matter, an apostrophe parts no word (`don't` is `dont`), and every Chinese and Japanese
character is a word of its own, for in those scripts nothing else tells where a word ends.
"""

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek, Cyrillic; others' signs are vowels
_APOSTROPHES = re.compile(r"(?<=\w)['\u2018\u2019`\u00b4](?=\w)")
# Kana, ideographs (all planes that have them) and their compatibility forms.
_NO_SPACES = re.compile(
    "([\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)


def fold(text: str) -> str:
    """The text as it is indexed and looked for; anything at all may be given."""
    text = text.encode(errors="replace").decode()  # lone surrogates
    if text.isascii():
        return _APOSTROPHES.sub("", text.casefold())
    # Apart, so that accents can be dropped, then together again for Hangul.
    apart = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold())
    whole = unicodedata.normalize("NFKC", _ACCENTS.sub("", apart))
    return _NO_SPACES.sub(r" \1 ", whole)
