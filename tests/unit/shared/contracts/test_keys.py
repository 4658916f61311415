import pytest

from shared.contracts.analysis import PITCH_CLASSES
from shared.contracts.keys import camelot, parse_key, tonic


@pytest.mark.parametrize(
    ("key", "mode", "code"),
    [
        ("C", "major", "8B"), ("G", "major", "9B"), ("F", "major", "7B"), ("B", "major", "1B"),
        ("E", "major", "12B"), ("A", "minor", "8A"), ("E", "minor", "9A"), ("G#", "minor", "1A"),
        ("C#", "minor", "12A"), ("F", "minor", "4A"),
    ],
)  # fmt: skip
def test_keys_have_their_place_on_the_camelot_wheel(key: str, mode: str, code: str) -> None:
    assert camelot(key, mode) == code


def test_each_of_the_24_keys_has_its_own_place_on_the_wheel() -> None:
    codes = {camelot(key, mode) for key in PITCH_CLASSES for mode in ("major", "minor")}
    assert len(codes) == 24


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A minor", ("A", "minor")), ("Am", ("A", "minor")), ("a MINOR", ("A", "minor")),
        ("Bb", ("A#", "major")), ("Bbm", ("A#", "minor")), ("B", ("B", "major")),
        ("b", ("B", "major")), ("Bm", ("B", "minor")), ("f# major", ("F#", "major")),
        ("C♯ min", ("C#", "minor")), ("A♭ maj", ("G#", "major")), ("8A", ("A", "minor")),
        ("12b", ("E", "major")), (" Cb ", ("B", "major")), ("AM", ("A", "major")),
        ("F\u266fm", ("F#", "minor")), ("1m", ("A", "minor")), ("8d", ("C#", "major")),
        ("08A", ("A", "minor")), ("8 a", ("A", "minor")), ("F sharp minor", ("F#", "minor")),
        ("B-flat major", ("A#", "major")), ("a-moll", ("A", "minor")), ("8A - Am", ("A", "minor")),
        ("Gm/6A", ("G", "minor")), ("8A (energy 5)", ("A", "minor")),
    ],
)  # fmt: skip
def test_a_key_is_parsed_as_people_write_it(text: str, found: tuple[str, str]) -> None:
    assert parse_key(text) == found


@pytest.mark.parametrize(
    "text", ["", "H", "A blues", "13A", "0B", "A##", "minor", "Ab b", "8A / 9A", "o", "13m", "/"]
)
def test_an_invalid_key_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_flats_are_named_as_sharps() -> None:
    assert [tonic(name) for name in ("Db", "eb", "F", "x")] == ["C#", "D#", "F", None]
