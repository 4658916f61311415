import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.folding import fold


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
    ],
)
def test_spellings_that_differ_in_case_accents_or_width_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("東京 Live", ["東", "京", "live"]),
        ("がか", ["が", "か"]),
        ("한국어 노래", ["한국어", "노래"]),
        ("Queen's 'best'", ["queens", "'best'"]),
    ],
)
def test_scripts_without_spaces_are_cut_and_others_are_not(text: str, words: list[str]) -> None:
    assert fold(text).split() == words


@given(st.text(st.characters()))
def test_any_text_folds_to_text_that_can_be_encoded_and_does_not_change_again(text: str) -> None:
    fold(text).encode()
    assert fold(fold(text)).split() == fold(text).split()
