"""Cue sheets as programs write them: lines, ranges, encodings."""

import pytest

from services.extractor.cue.encodings import decode_sheet
from services.extractor.cue.parts import part_hash, parts_of
from services.extractor.cue.sheet import parse_sheet

NO_TIME = "INDEX has no time of minutes:seconds:frames, like 03:45:00"
TWO = """\
FILE "album.wav" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 01 00:05:00
"""


def ranges(
    text: str, duration_s: float = 10_000, file: int = 0
) -> list[tuple[float, float | None]]:
    sheet = parse_sheet(text)
    assert sheet.problem is None
    found = parts_of(sheet, file, "a.cue", duration_s)
    return [(part.start_s, part.end_s) for part, _ in found]


# Lines.


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('TITLE "Plain"', "Plain"),
        ("TITLE Without quotes", "Without quotes"),
        ('TITLE "No end', "No end"),
        ('TITLE "She said "hi" twice"', 'She said "hi" twice'),
        ('title "lower case"', "lower case"),
        ('\t  TITLE   "Indented"  ', "Indented"),
        ('TITLE ""', None),
        ("TITLE", None),
    ],
)
def test_a_text_is_read_however_it_is_quoted(line: str, value: str | None) -> None:
    sheet = parse_sheet(line + "\n" + TWO)
    assert sheet.problem is None
    assert sheet.tags.get("album", [None])[0] == value


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('FILE "a b.wav" WAVE', "a b.wav"),
        ("FILE a b.wav WAVE", "a b.wav"),
        ("FILE album.flac", "album.flac"),
        ('FILE "album.flac"', "album.flac"),
        (r'FILE "C:\Rips\a.wav" BINARY', r"C:\Rips\a.wav"),
        ('FILE "He said "no".wav" WAVE', 'He said "no".wav'),
        ('file "a.mp3" mp3', "a.mp3"),
    ],
)
def test_a_file_is_named_with_or_without_quotes_and_type(line: str, name: str) -> None:
    assert parse_sheet(line).files == [name]


@pytest.mark.parametrize(
    ("time", "start_s"),
    [("00:00:00", 0), ("01:02:37", 62 + 37 / 75), ("5:7:3", 307.04), ("123:45:74", 7425 + 74 / 75)],
)
def test_a_time_counts_minutes_beyond_99_and_75_frames_a_second(time: str, start_s: float) -> None:
    sheet = parse_sheet(f"TRACK 01 AUDIO\nINDEX 01 {time}")
    assert sheet.tracks[0].start_s == pytest.approx(start_s)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(ending: str) -> None:
    assert ranges(TWO.replace("\n", ending)) == [(0, 5), (5, None)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it names no tracks"),
        ("FILE x WAVE\nTRACK one AUDIO", "line 2: TRACK has no number"),
        ("TRACK 01 AUDIO\nTITLE x", "track 1 has no INDEX"),
        ("TRACK 01 AUDIO\nINDEX 01 00:61:00", f"line 2: {NO_TIME}"),
        ("TRACK 01 AUDIO\nINDEX 01 soon", f"line 2: {NO_TIME}"),
    ],
)
def test_a_damaged_sheet_says_in_which_line(text: str, problem: str) -> None:
    assert parse_sheet(text).problem == problem


def test_unknown_lines_are_passed_over() -> None:
    odd = '\0\0binary\nREM\nREM COMMENT "ExactAudioCopy v1.3"\nFLAGS DCP\nCDTEXTFILE "a.cdt"\n'
    assert ranges(odd + TWO + "    INDEX 02 rubbish\n  POSTGAP 00:02:00\n") == [(0, 5), (5, None)]


def test_what_a_sheet_says_becomes_tags() -> None:
    sheet = parse_sheet(
        'REM GENRE "Jazz"\nREM DATE 1959\nREM DISCNUMBER 2\nREM TOTALDISCS 3\nREM DISCID 860B640B\n'
        'REM REPLAYGAIN_ALBUM_GAIN -7.1 dB\nCATALOG 0602537347872\nPERFORMER "Ann"\nTITLE "Disc"\n'
        'SONGWRITER "Sue"\nFILE a.wav WAVE\nTRACK 01 AUDIO\nTITLE "One"\nPERFORMER "Ben"\n'
        'ISRC USRC17607839\nREM REPLAYGAIN_TRACK_GAIN -6.50 dB\nSONGWRITER "Tom"\nINDEX 01 00:00:00'
    )
    assert sheet.tags == {
        "genre": ["Jazz"], "date": ["1959"], "discnumber": ["2"], "totaldiscs": ["3"],
        "replaygain_album_gain": ["-7.1 dB"], "barcode": ["0602537347872"],
        "albumartist": ["Ann"], "album": ["Disc"], "writer": ["Sue"],
    }  # fmt: skip
    assert sheet.tracks[0].tags == {
        "title": ["One"], "artist": ["Ben"], "isrc": ["USRC17607839"],
        "replaygain_track_gain": ["-6.50 dB"], "writer": ["Tom"],
    }  # fmt: skip


# Ranges.


def test_a_pregap_belongs_to_the_track_before_it() -> None:
    text = TWO.replace("    INDEX 01 00:05:00", "    INDEX 00 00:03:00\n    INDEX 01 00:05:00")
    assert ranges(text) == [(0, 5), (5, None)]


def test_a_track_with_a_pregap_alone_begins_there() -> None:
    assert ranges(TWO.replace("INDEX 01 00:05", "INDEX 00 00:05")) == [(0, 5), (5, None)]


def test_a_track_of_data_is_no_part_and_ends_the_one_before_it() -> None:
    text = TWO + "  TRACK 03 MODE1/2352\n    INDEX 01 00:09:00\n"
    assert ranges(text) == [(0, 5), (5, 9)]
    one = TWO.replace("01 AUDIO", "01 MODE1/2352")
    assert ranges(one) == []


def test_a_single_track_makes_no_parts() -> None:
    assert ranges(TWO.partition("  TRACK 02")[0]) == []


def test_a_file_that_is_named_before_each_track_is_one() -> None:
    text = TWO.replace("  TRACK 02", 'FILE "album.wav" WAVE\n  TRACK 02')
    assert ranges(text) == [(0, 5), (5, None)]


GAPS_IN_FILES = """\
FILE "01.wav" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two"
    INDEX 00 03:20:00
FILE "02.wav" WAVE
    INDEX 01 00:00:00
"""


def test_files_of_a_track_each_are_not_split() -> None:
    """EAC's "noncompliant" sheets: the gap before a track is at the end of the file before it."""
    for file in (0, 1):
        assert ranges(GAPS_IN_FILES, file=file) == []
    assert parse_sheet(GAPS_IN_FILES).tracks[1].file == 1


def test_of_several_files_each_has_its_own_parts() -> None:
    text = TWO + TWO.replace("album", "other").replace("00:05", "00:07")
    assert ranges(text, file=0) == [(0, 5), (5, None)]
    assert ranges(text, file=1) == [(0, 7), (7, None)]


def test_a_time_behind_the_end_of_the_file_does_not_fit() -> None:
    with pytest.raises(
        ValueError, match=r"track 2 begins at 0:05.00, but the file ends at 0:04.50"
    ):
        parts_of(parse_sheet(TWO), 0, "a.cue", 4.5)
    # Where the length is not known, the sheet is believed.
    assert ranges(TWO, duration_s=0) == [(0, 5), (5, None)]


def test_the_hash_of_a_part_is_of_content_and_range() -> None:
    assert part_hash(None, 0, 5) is None
    hashes = [
        part_hash("ab", 0, 5),
        part_hash("ab", 0, None),
        part_hash("ab", 1, 5),
        part_hash("cd", 0, 5),
    ]
    assert len(set(hashes)) == 4
    assert {len(each or "") for each in hashes} == {32}


# Encodings.


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Sigur Rós \u2013 Ágætis byrjun", "utf-8"),
        ("Sigur Rós \u2013 Ágætis byrjun", "utf-8-sig"),
        ("Sigur Rós", "utf-16"),
        ("Sigur Rós", "utf-16-le"),
        ("Sigur Rós", "utf-16-be"),
        ("Björk \u2013 Homogénic “Début”", "cp1252"),
        ("Für Elise, Wär ich ein Vögelein", "cp1252"),
        ("Кино \u2013 Группа крови", "cp1251"),
        ("АКВАРИУМ", "cp1251"),
        ("東京事変 \u2013 教育", "cp932"),
        ("ゆらゆら帝国 空洞です", "cp932"),
        ("サカナクション", "cp932"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    text = text.replace("\u2013", "-") if encoding == "cp932" else text
    content = f'PERFORMER "{text}"\r\nTITLE "Live"\r\n{TWO}'.encode(encoding)
    sheet = parse_sheet(decode_sheet(content))
    assert sheet.tags["albumartist"] == [text]
    assert sheet.problem is None


def test_of_likely_encodings_the_one_counts_in_which_a_file_is_there() -> None:
    content = b'TITLE "\xe9 \xe9 \xe9 \xe9"\nFILE "\xc6\xe8.wav" WAVE'
    assert "Æè" in decode_sheet(content)
    assert "Жи" in decode_sheet(content, lambda text: "Жи" in text)


def test_a_line_without_end_takes_no_time() -> None:
    """A pattern that tries each space of a megabyte anew would take minutes."""
    sheet = parse_sheet(f"FILE x{' ' * 900_000}y\n{TWO}")
    assert len(sheet.files[0]) < 10_000
