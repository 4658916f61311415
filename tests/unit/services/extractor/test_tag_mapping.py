"""The mapping of tags to credits, values and releases."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.tags import normalise
from services.extractor.tags.credit_parsing import credited_names
from services.extractor.tags.mapping import VARIOUS_ARTISTS_ID, map_tags
from services.extractor.tags.model import AudioProperties, CreditedName, Numbered, Tags
from services.extractor.tags.raw_tags import RawTags
from services.extractor.tags.rules import CreditRules
from shared.runtime.settings import Settings

AUDIO = AudioProperties("flac", "flac", 1.0)
ID_1 = "11111111-1111-4111-8111-111111111111"
ID_2 = "22222222-2222-4222-8222-222222222222"

_NAMES = [
    "title", "artist", "artists", "album", "albumartist", "genre", "date", "tracknumber",
    "discnumber", "comment", "isrc", "bpm", "composer", "musicbrainz_artistid", "compilation",
    "replaygain_track_gain", "replaygain_track_peak", "r128_track_gain",
]  # fmt: skip


def tags_of(**raw: list[str]) -> Tags:
    return map_tags(raw, AUDIO, file_name="07 Hyperballad.flac")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Björk"], [("Björk", "")]),
        (["A feat. B"], [("A", " feat. "), ("B", "")]),
        (["A ft B"], [("A", " ft "), ("B", "")]),
        (["A Featuring B & C"], [("A", " Featuring "), ("B", " & "), ("C", "")]),
        (["A (feat. B)"], [("A", " (feat. "), ("B", ")")]),
        (["A; B"], [("A", "; "), ("B", "")]),
        (["A;B"], [("A", ";"), ("B", "")]),
        (["A / B"], [("A", " / "), ("B", "")]),
        (["A", "B feat. C"], [("A", "; "), ("B", " feat. "), ("C", "")]),
        (["10 ft. Ganja Plant"], [("10 ft. Ganja Plant", "")]),
        (["100 Ft Squid feat. B"], [("100 Ft Squid", " feat. "), ("B", "")]),
        (["112 ft. B"], [("112", " ft. "), ("B", "")]),
        (["Kairon; IRSE!"], [("Kairon; IRSE!", "")]),
        (["Blood Sweat and Tears & B"], [("Blood Sweat and Tears", " & "), ("B", "")]),
        (["AC/DC"], [("AC/DC", "")]),
        (["AC / DC"], [("AC / DC", "")]),
        (["Simon & Garfunkel"], [("Simon & Garfunkel", "")]),
        (["Tyler, The Creator"], [("Tyler, The Creator", "")]),
        (["Ft. Minor"], [("Ft. Minor", "")]),
        (["A & B"], [("A", " & "), ("B", "")]),
        (["A with B"], [("A", " with "), ("B", "")]),
        (["A (with B)"], [("A", " (with "), ("B", ")")]),
        (["A vs. B"], [("A", " vs. "), ("B", "")]),
        (["A VS B"], [("A", " VS "), ("B", "")]),
        (["A presents B"], [("A", " presents "), ("B", "")]),
        (["A x B"], [("A", " x "), ("B", "")]),
        (["Lil X Men"], [("Lil X Men", "")]),
        (["A, B & C"], [("A", ", "), ("B", " & "), ("C", "")]),
        (["A, B, C"], [("A", ", "), ("B", ", "), ("C", "")]),
        (["A, B, and C"], [("A", ", "), ("B", ", and "), ("C", "")]),
        (["A, B, D and C"], [("A", ", "), ("B", ", "), ("D", " and "), ("C", "")]),
        (["A, B feat. C & D"], [("A, B", " feat. "), ("C", " & "), ("D", "")]),
        (["Bach, Johann Sebastian"], [("Bach, Johann Sebastian", "")]),
        (["Iron and Wine"], [("Iron and Wine", "")]),
        (["R&B All-Stars"], [("R&B All-Stars", "")]),
        (["Nick Cave & The Bad Seeds"], [("Nick Cave & The Bad Seeds", "")]),
        (["Kay Kyser & His Orchestra"], [("Kay Kyser & His Orchestra", "")]),
        (["Earth, Wind & Fire"], [("Earth, Wind & Fire", "")]),
        (["Crosby, Stills, Nash & Young"], [("Crosby, Stills, Nash & Young", "")]),
        (["A & Tyler, The Creator"], [("A", " & "), ("Tyler, The Creator", "")]),
        (["SIMON & GARFUNKEL feat. AC/DC"], [("SIMON & GARFUNKEL", " feat. "), ("AC/DC", "")]),
        (["AC/DC & Simon & Garfunkel"], [("AC/DC", " & "), ("Simon & Garfunkel", "")]),
        (["Sammy Davis, Jr. & Dean"], [("Sammy Davis, Jr.", " & "), ("Dean", "")]),
        ([";"], [(";", "")]),
        ([], []),
    ],
)
def test_a_credit_is_split_at_join_phrases(
    values: list[str], expected: list[tuple[str, str]]
) -> None:
    names, _ = credited_names(values)
    assert [(name.name, name.join_phrase) for name in names] == expected


@given(st.text(st.sampled_from("AB &,;/()"), max_size=30).filter(str.strip))
def test_splitting_a_credit_loses_no_letter(credit: str) -> None:
    names, shown = credited_names(normalise.texts([credit]))
    assert [letter for letter in shown if letter in "AB&"] == [
        letter for letter in credit if letter in "AB&"
    ]
    assert all(name.name.strip() for name in names)


def test_the_defaults_of_the_settings_are_the_rules_defaults() -> None:
    settings = Settings()
    rules = CreditRules.with_names(settings.credit_names, settings.credit_joins)
    assert rules == CreditRules()


@pytest.mark.parametrize(
    ("rules", "credit", "expected"),
    [
        (CreditRules.with_names(["Hot & Cold"], ["&"]), "Hot & Cold & A", ["Hot & Cold", "A"]),
        (CreditRules.with_names([], []), "A & B with C", ["A & B with C"]),
        (CreditRules.with_names([], []), "Simon & Garfunkel; B", ["Simon & Garfunkel", "B"]),
        (CreditRules.with_names([], [","]), "A, B", ["A", "B"]),
        (CreditRules.with_names([], [","]), "Iron and Wine", ["Iron and Wine"]),
        (CreditRules.with_names([], ["+"]), "A + B", ["A", "B"]),
    ],
)
def test_settings_control_how_a_credit_is_split(
    rules: CreditRules, credit: str, expected: list[str]
) -> None:
    assert [name.name for name in credited_names([credit], rules=rules)[0]] == expected


@pytest.mark.parametrize(
    ("values", "count", "expected"),
    [
        (["A & B"], 1, ["A & B"]),
        (["Iron and Wine"], 2, ["Iron", "Wine"]),
        (["Nick Cave & The Bad Seeds"], 2, ["Nick Cave", "The Bad Seeds"]),
        (["A & B feat. C"], 2, ["A & B", "C"]),
        (["A & B feat. C"], 3, ["A", "B", "C"]),
        (["A/B"], 2, ["A", "B"]),
        (["A & B", "C"], 2, ["A & B", "C"]),
        (["AC/DC & B"], 2, ["AC/DC", "B"]),
        (["A & B"], 5, ["A", "B"]),
    ],
)
def test_a_credit_has_as_many_artists_as_musicbrainz_ids(
    values: list[str], count: int, expected: list[str]
) -> None:
    names, _ = credited_names(values, ids=[ID_1] * count)
    assert [name.name for name in names] == expected


@pytest.mark.parametrize(
    ("credit", "listed", "expected"),
    [
        ("A, B & C", ["A", "B", "C"], [("A", ", "), ("B", " & "), ("C", "")]),
        ("A & B", ["A", "B"], [("A", " & "), ("B", "")]),
        ("A & B", ["A; B"], [("A", " & "), ("B", "")]),
        ("The Alias", ["A", "B"], [("A", "; "), ("B", "")]),
        ("A\u2019s & B\u2010C", ["A's", "B-C"], [("A\u2019s", " & "), ("B\u2010C", "")]),
    ],
)
def test_listed_artists_are_found_in_the_credit(
    credit: str, listed: list[str], expected: list[tuple[str, str]]
) -> None:
    names, shown = credited_names([credit], listed=listed)
    assert [(name.name, name.join_phrase) for name in names] == expected
    assert shown == credit


def test_musicbrainz_ids_are_assigned_if_there_are_as_many_as_artists() -> None:
    assert credited_names(["Earth; Wind"], ids=[ID_1])[0] == (
        CreditedName("Earth; Wind", musicbrainz_id=ID_1),
    )
    both = credited_names(["A feat. B"], ids=[ID_1, ID_2])[0]
    assert [name.musicbrainz_id for name in both] == [ID_1, ID_2]
    unclear = credited_names(["A", "B"], ids=[ID_1])[0]
    assert [name.musicbrainz_id for name in unclear] == [None, None]


@pytest.mark.parametrize(
    ("rule", "written", "expected"),
    [
        (normalise.partial_date, "1999", "1999"),
        (normalise.partial_date, "1999-12", "1999-12"),
        (normalise.partial_date, "199912", "1999-12"),
        (normalise.partial_date, "2023 May 1", "2023-05-01"),
        (normalise.partial_date, "2023-May-01", "2023-05-01"),
        (normalise.partial_date, "1999年5月", "1999"),
        (normalise.partial_date, "20 août 1988", "1988"),
        (normalise.partial_date, "℗ 1987", "1987"),
        (normalise.partial_date, "1969-xx-xx", "1969"),
        (normalise.partial_date, "1999-12-31T10:00:00", "1999-12-31"),
        (normalise.partial_date, "19991231", "1999-12-31"),
        (normalise.partial_date, "31.12.1999", "1999"),
        (normalise.partial_date, "1999-13-40", "1999"),
        (normalise.partial_date, "1999-02-30", "1999-02"),
        (normalise.partial_date, "99999", None),
        (normalise.partial_date, "0000", None),
        (normalise.partial_date, "soon", None),
        (normalise.partial_date, "Oct 3, 1995", "1995-10-03"),
        (normalise.partial_date, "3rd of October 1995", "1995-10-03"),
        (normalise.partial_date, "May 2023", "2023-05"),
        (normalise.partial_date, "1 May 2023", "2023-05-01"),
        (normalise.partial_date, "c. 1969", "1969"),
        (normalise.partial_date, "1969?", "1969"),
        (normalise.partial_date, "Marching in 1969", "1969"),
        (normalise.partial_date, "1969 to 1971", "1969"),
        (normalise.partial_date, "from 1969 to 1971", None),
        (normalise.partial_date, "5/1/23", None),
        (normalise.numbered, "3/12", Numbered(3, 12)),
        (normalise.numbered, "03 of 12", Numbered(3, 12)),
        (normalise.numbered, "3/foo", Numbered(3, None)),
        (normalise.numbered, "3", Numbered(3, None)),
        (normalise.numbered, "/12", Numbered(None, 12)),
        (normalise.numbered, "0/0", Numbered(0, None)),
        (normalise.numbered, "A1", Numbered(1)),
        (normalise.numbered, "b2/4", Numbered(102, 4)),
        (normalise.numbered, "B", Numbered(101)),
        (normalise.numbered, "AA1", Numbered(101)),
        (normalise.numbered, "Bonus", Numbered()),
        (normalise.numbered, "-1", Numbered()),
        (normalise.numbered, "999999999", Numbered()),
        (normalise.genres, ["Rock; Pop", "rock"], ("Rock", "Pop")),
        (normalise.genres, ["Hip-Hop/Rap"], ("Hip-Hop", "Rap")),
        (normalise.genres, ["Singer/Songwriter"], ("Singer/Songwriter",)),
        (normalise.genres, ["Folk, World, & Country"], ("Folk, World, & Country",)),
        (normalise.genres, ["Singer / Songwriter"], ("Singer / Songwriter",)),
        (
            normalise.genres,
            ["Electronic, Folk, World, & Country; Rock"],
            ("Electronic", "Folk, World, & Country", "Rock"),
        ),
        (normalise.genres, ["Jazz\0Funk"], ("Jazz", "Funk")),
        (normalise.r128_gain, "-256", 4.0),
        (normalise.musicbrainz_id, ["nonsense", f" {ID_1.upper()} "], ID_1),
        (normalise.musicbrainz_ids, [f"{ID_1}/{ID_2}"], [ID_1, ID_2]),
        (normalise.isrcs, ["GB-AYE-68-00001", "short"], ("GBAYE6800001",)),
        (normalise.text, "a\0b\x1b\ud800c\u2028", "a b c"),
        (normalise.text, "x" * 1_000_000, "x" * 1_000),
        (normalise.lines, "one\r\ntwo\0", "one\ntwo"),
        (normalise.truth, "1", True),
        (normalise.truth, "0", False),
    ],
)
def test_values_are_normalised(
    rule: Callable[[Any], object], written: object, expected: object
) -> None:
    assert rule(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("-6.20 dB", -6.2), ("+1,5 dB", 1.5), ("nan", None), ("inf dB", None), ("1e999", 1.0)],
)
def test_a_gain_is_a_finite_number(written: str, expected: float | None) -> None:
    assert tags_of(replaygain_track_gain=[written]).replaygain.track_gain_db == expected


def test_without_a_title_the_name_of_the_file_is_the_title() -> None:
    assert tags_of().title == "07 Hyperballad"
    assert tags_of(title=["\0 "]).title_is_file_name
    assert not tags_of(title=["Army of Me"]).title_is_file_name


def test_guests_of_a_track_do_not_make_another_album() -> None:
    alone = tags_of(album=["Post"], artist=["Björk"]).release
    with_guest = tags_of(album=["Post"], artist=["Björk feat. Tricky"]).release
    assert alone == with_guest
    assert tags_of(artist=["Björk"]).release.title == ""


@pytest.mark.parametrize(
    "raw",
    [
        {"compilation": ["1"]},
        {"albumartist": ["various artists"]},
        {
            "albumartist": ["VA"],
            "musicbrainz_albumartistid": [VARIOUS_ARTISTS_ID],
        },
    ],
)
def test_a_compilation_is_recognised_by_its_flag_or_its_artist(raw: RawTags) -> None:
    release = tags_of(album=["Hits"], artist=["Björk"], **raw).release
    assert release.is_compilation
    assert release.artist_credit != "Björk"


@given(
    st.dictionaries(
        st.sampled_from(_NAMES),
        st.lists(st.text(st.characters(codec=None)), max_size=3),
    )
)
def test_any_tags_can_be_stored(raw: RawTags) -> None:
    tags = tags_of(**raw)
    assert 0 < len(tags.title) <= normalise.TEXT_LIMIT
    for name in (*tags.artists, *tags.release.artists):
        assert name.name.strip()
    everything = repr(tags)
    assert "\\x00" not in everything
    everything.encode()
