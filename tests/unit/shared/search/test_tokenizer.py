import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.tokenizer import fold, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Björk", "BJORK"),
        ("Bjo\u0308rk", "björk"),
        ("\uff22\uff4a\uff4f\uff52\uff4b", "bjork"),
        ("Straße", "STRASSE"),
        ("\u0399\u0301\u03a3\u03c9\u03c2", "\u03b9\u03c3\u03c9\u03c3"),  # Greek
        ("Don't", "don\u2019t"),
        ("Don't", "dont"),
        ("İstanbul", "istanbul"),
        ("\ufb01re", "fire"),
        ("\U0001d54aong", "song"),
        ("don\uff07t", "dont"),
        ("Mø Łódź Æther", "mo lodz aether"),
    ],
)
def test_spellings_that_differ_in_case_accents_or_width_are_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("東京 Live", ["東", "京", "live"]),
        ("がか", ["が", "か"]),
        ("한국어 노래", ["한국어", "노래"]),
        ("Queen's 'best'", ["queens", "'best'"]),
    ],
)
def test_scripts_without_spaces_are_split_into_characters_and_others_are_not(
    text: str, parts: list[str]
) -> None:
    assert fold(text).split() == parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jazz/kind/so_what.ogg", ["jazz", "kind", "so", "what", "ogg"]),
        ("Don't stop (me) #1!", ["dont", "stop", "me", "1"]),
        ("हिन्दी गाना", ["हिन्दी", "गाना"]),
        ("\u2764\ufe0f \u0e40\u0e1e\u0e25\u0e07", ["\u0e40\u0e1e\u0e25\u0e07"]),
        ("東京2020", ["東", "京", "2020"]),
        ("x" * 121, []),
    ],
)
def test_words_consist_of_letters_digits_and_their_marks(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(st.characters()))
def test_splitting_into_words_is_idempotent(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)


@given(st.text(st.characters()))
def test_folding_any_text_is_idempotent_and_gives_valid_utf8(text: str) -> None:
    fold(text).encode()
    assert fold(fold(text)).split() == fold(text).split()
