"""Tags as real taggers write them, file by file."""

import base64
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import (
    COMM,
    GRP1,
    ID3,
    IPLS,
    TALB,
    TBPM,
    TCOM,
    TDRC,
    TIT1,
    TIT2,
    TMCL,
    TMOO,
    TORY,
    TPE1,
    TPE2,
    TPUB,
    TXXX,
    TYER,
)  # fmt: skip
from mutagen.mp4 import MP4FreeForm

from services.extractor.read.file_reader import read_file
from services.extractor.read.jobs import read_chunk
from services.extractor.read.mutagen_files import read_with_mutagen
from services.extractor.tags.model import ReplayGain, Tags
from shared.contracts.tags import GUESSED_TAG
from shared.gateway.inputs import ImportedFactInput

MakeFile = Callable[[str], Path]
ID_1 = "11111111-1111-4111-8111-111111111111"
ID_2 = "22222222-2222-4222-8222-222222222222"


def read(path: Path) -> Tags:
    return read_file(os.fsencode(path)).tags


def names(tags: Tags) -> list[str]:
    return [name.name for name in tags.artists]


def credited(tags: Tags, role: str) -> list[tuple[str, str | None]]:
    return [(one.name.name, one.instrument) for one in tags.contributors if one.role == role]


@pytest.fixture
def mp3(make_file: MakeFile) -> Callable[..., Tags]:
    """An MP3 with these frames, read."""

    def make(*frames: Any, version: int = 4, v1: int = 1) -> Tags:
        path = make_file("a.mp3")
        tags = ID3()
        for frame in frames:
            tags.add(frame)
        tags.save(path, v1=v1, v2_version=version)
        return read(path)

    return make


@pytest.fixture
def vorbis(make_file: MakeFile) -> Callable[..., Tags]:
    """A FLAC with these comments, read."""

    def make(comments: dict[str, Any]) -> Tags:
        path = make_file("a.flac")
        file: Any = mutagen.File(path)
        file.update(comments)
        file.save()
        return read(path)

    return make


@pytest.fixture
def mp4(make_file: MakeFile) -> Callable[..., Tags]:
    """An MP4 with these atoms, read."""

    def make(atoms: dict[str, Any]) -> Tags:
        path = make_file("a.m4a")
        file: Any = mutagen.File(path)
        file.update(atoms)
        file.save()
        return read(path)

    return make


def free(name: str, text: bytes, owner: str = "com.apple.iTunes") -> dict[str, Any]:
    return {f"----:{owner}:{name}": MP4FreeForm(text)}


# Lists that ID3v2.3 joins by "/"


def test_picard_joins_all_lists_of_id3_2_3(mp3: Callable[..., Tags]) -> None:
    tags = mp3(
        TPE1(text="Ann feat. Ben"), TXXX(desc="Artists", text=["Ann", "Ben"]),
        TXXX(desc="MusicBrainz Artist Id", text=[ID_1, ID_2]), TCOM(text=["K", "L"]),
        TPUB(text=["X", "Y"]), TMOO(text=["Calm", "Dark"]), TALB(text="A"),
        TPE2(text=["Ann", "Ben"]), TXXX(desc="MusicBrainz Album Artist Id", text=[ID_1, ID_2]),
        TXXX(desc="MusicBrainz Album Type", text=["album", "live"]),
        version=3,
    )  # fmt: skip
    assert [(name.name, name.musicbrainz_id) for name in tags.artists] == [
        ("Ann", ID_1),
        ("Ben", ID_2),
    ]
    assert tags.artist_credit == "Ann feat. Ben"
    assert [name.name for name in tags.release.artists] == ["Ann", "Ben"]
    assert credited(tags, "composer") == [("K", None), ("L", None)]
    assert tags.release.label == "X"
    assert tags.others["label"] == ["Y"]
    assert tags.release.release_type == "album"
    assert tags.others["releasetype"] == ["live"]
    assert tags.moods == ("Calm", "Dark")


@pytest.mark.parametrize(
    ("artists", "ids", "expected"),
    [
        (["Ann", "Ben"], [], ["Ann", "Ben"]),
        (["Ann", "Ben", "Cyd"], [ID_1, ID_2, ID_1], ["Ann", "Ben", "Cyd"]),
        (["AC", "DC"], [], ["AC/DC"]),
        (["K", "DA"], [], ["K/DA"]),
        (["Love", "Hate"], [], ["Love/Hate"]),
        (["U2", "Ann"], [], ["U2", "Ann"]),
        (["Ann", "Ben"], [ID_1], ["Ann/Ben"]),
        (["Up", "Go"], [ID_1, ID_2], ["Up", "Go"]),
    ],
)
def test_joined_artists_are_split_as_far_as_the_ids_agree(
    artists: list[str], ids: list[str], expected: list[str], mp3: Callable[..., Tags]
) -> None:
    more = [TXXX(desc="MusicBrainz Artist Id", text=ids)] if ids else []
    assert names(mp3(TPE1(text=artists), *more, version=3)) == expected


def test_a_name_with_a_slash_stands_in_a_joined_list(mp3: Callable[..., Tags]) -> None:
    lists = [TXXX(desc="Artists", text=["Ann", "AC/DC"])]
    ids = [TXXX(desc="MusicBrainz Artist Id", text=[ID_1, ID_2])]
    tags = mp3(TPE1(text="Ann feat. AC/DC"), *lists, *ids, version=3)
    assert names(tags) == ["Ann", "AC/DC"]
    assert tags.artist_credit == "Ann feat. AC/DC"
    # A name that no list knows is in the credit.
    unknown = mp3(
        TPE1(text="Ann & No/Way"), TXXX(desc="Artists", text=["Ann", "No/Way"]), version=3
    )
    assert names(unknown) == ["Ann", "No/Way"]
    alone = mp3(TPE1(text=["AC/DC", "Ben"]), *ids, version=3)
    assert [(name.name, name.musicbrainz_id) for name in alone.artists] == [
        ("AC/DC", ID_1),
        ("Ben", ID_2),
    ]
    album = mp3(
        TALB(text="A"), TPE2(text="Ann & AC/DC"), TXXX(desc="ALBUMARTISTS", text=["Ann", "AC/DC"]),
        version=3,
    )  # fmt: skip
    assert [name.name for name in album.release.artists] == ["Ann", "AC/DC"]
    assert album.release.artist_credit == "Ann & AC/DC"


def test_other_tags_with_a_slash_are_no_lists(
    mp3: Callable[..., Tags], vorbis: Callable[..., Tags]
) -> None:
    label = mp3(TPUB(text="Sony/ATV"), TALB(text="A/B"), TIT2(text="C/D"), version=3)
    assert (label.release.label, label.release.title, label.title) == ("Sony/ATV", "A/B", "C/D")
    assert names(mp3(TPE1(text="Ann/Ben"), version=4)) == ["Ann/Ben"]
    assert names(vorbis({"artist": "Ann/Ben"})) == ["Ann/Ben"]


def test_a_list_of_artists_in_one_text_agrees_with_the_credit(vorbis: Callable[..., Tags]) -> None:
    tags = vorbis({"artist": "Ann & Ben", "artists": "Ann/Ben"})
    assert [(name.name, name.join_phrase) for name in tags.artists] == [("Ann", " & "), ("Ben", "")]


def test_converters_keep_joined_lists_in_other_tags(vorbis: Callable[..., Tags]) -> None:
    tags = vorbis(
        {"artist": "Ann/Ben", "musicbrainz_artistid": f"{ID_1}/{ID_2}", "composer": "K/L",
         "album": "A", "label": "X/Y"}
    )  # fmt: skip
    assert names(tags) == ["Ann", "Ben"]
    assert credited(tags, "composer") == [("K", None), ("L", None)]
    assert tags.release.label == "X"


# Tags beside other tags


def test_a_guest_has_no_id_where_there_is_one_id(vorbis: Callable[..., Tags]) -> None:
    for main, guests in (
        ("Ann", " feat. Ben"), ("Ann & Cyd", " (ft. Ben)"), ("Ann", ", feat. Ben"),
        ("Ann", " - ft Ben"), ("Ann", " feat.Ben"), ("Ann", " w/ Ben"), ("Ann", " [with Ben]"),
    ):  # fmt: skip
        tags = vorbis({"artist": main + guests, "musicbrainz_artistid": ID_1})
        assert names(tags) == [main, "Ben"]
        assert [name.musicbrainz_id for name in tags.artists] == [ID_1, None]
        assert tags.artist_credit == main + guests
    several = vorbis({"artist": "Ann [feat. Ben & Cyd]", "musicbrainz_artistid": ID_1})
    assert names(several) == ["Ann", "Ben", "Cyd"]
    assert names(vorbis({"artist": "Soft Wax w Ben"})) == ["Soft Wax w Ben"]


def test_the_credit_of_the_album_artist_stands_beside_it(vorbis: Callable[..., Tags]) -> None:
    written = {"album": "Al", "albumartist_credit": "The Artist", "albumartist": "Gamma"}
    tags = vorbis(written)
    assert [name.name for name in tags.release.artists] == ["Gamma"]
    assert tags.others["albumartist_credit"] == ["The Artist"]
    alone = vorbis({"album": "Al", "albumartist_credit": "The Artist"})
    assert alone.release.artist_credit == "The Artist"
    # mediafile's names in ID3 and ASF
    assert vorbis({"album": "Al", "Album Artist Credit": "X"}).release.artist_credit == "X"


def test_tit1_is_the_work_where_grp1_is_the_grouping(mp3: Callable[..., Tags]) -> None:
    tags = mp3(TIT1(text="Work"), GRP1(text="A longer grouping"))
    assert (tags.work, tags.grouping) == ("Work", "A longer grouping")
    assert mp3(TIT1(text="Group")).grouping == "Group"
    assert mp3(GRP1(text="Group")).grouping == "Group"


def test_quod_libet_describes_what_it_adds(mp3: Callable[..., Tags]) -> None:
    tags = mp3(
        TALB(text="Al"), TPE1(text="Ann"), TPE2(text="Perf Ormer"),
        TXXX(desc="QuodLibet::albumartist", text="Gamma Band"),
        TXXX(desc="QuodLibet::performer:oboe", text="Gus"),
        TXXX(desc="QuodLibet::discsubtitle", text="First"),
        TXXX(desc="QuodLibet::labelid", text="CAT-1"),
    )  # fmt: skip
    assert tags.release.catalogue_number == "CAT-1"
    assert tags.release.artist_credit == "Gamma Band"
    assert credited(tags, "performer") == [("Gus", "oboe"), ("Perf Ormer", None)]
    assert tags.disc_subtitle == "First"
    assert "quodlibet" not in str(tags.others)


@pytest.mark.parametrize("suffix", [".flac", ".wv", ".mp3"])
def test_performers_may_have_the_instrument_in_the_name_of_the_tag(
    suffix: str, make_file: MakeFile
) -> None:
    path = make_file(f"a{suffix}")
    if suffix == ".flac":
        file: Any = mutagen.File(path)
        file["PERFORMER:GUITAR"] = "Gus"
        file.save()
    elif suffix == ".wv":
        ape = APEv2()
        ape["Performer:guitar"] = "Gus"
        ape.save(path)
    else:
        id3 = ID3()
        id3.add(TXXX(desc="PERFORMER:guitar", text="Gus"))
        id3.save(path)
    assert [(name, (part or "").lower()) for name, part in credited(read(path), "performer")] == [
        ("Gus", "guitar")
    ]


def test_ffmpeg_keeps_what_it_has_no_frame_for(mp3: Callable[..., Tags]) -> None:
    tags = mp3(TALB(text="Al"), TXXX(desc="USLT", text="la la"), TXXX(desc="TCMP", text="1"))
    assert tags.lyrics is not None
    assert tags.lyrics.plain == "la la"
    assert tags.release.is_compilation
    spoken = mp3(TXXX(desc="lyrics-eng", text="la"))
    assert spoken.lyrics is not None
    assert spoken.lyrics.plain == "la"
    described = mp3(TXXX(desc="lyrics-From the booklet-eng", text="la"))
    assert described.lyrics is not None


def test_a_comment_goes_before_a_description(
    mp3: Callable[..., Tags], vorbis: Callable[..., Tags]
) -> None:
    tags = mp3(TXXX(desc="description", text="Long text"), TXXX(desc="comment", text="https://w"))
    assert (tags.comment, tags.others["description"]) == ("https://w", ["Long text"])
    assert vorbis({"description": "D", "comment": "C"}).comment == "C"
    assert vorbis({"description": "D"}).comment == "D"


def test_the_comment_without_a_description_is_the_comment(mp3: Callable[..., Tags]) -> None:
    tags = mp3(
        COMM(lang="eng", desc="ID3v1 Comment", text="A long re"),
        COMM(lang="deu", desc="Quelle", text="LP"),
        COMM(lang="eng", desc="", text="A long remark"),
    )
    assert (tags.comment, tags.others["comment"]) == ("A long remark", ["LP"])
    assert mp3(COMM(lang="eng", desc="ID3v1 Comment", text="Short")).comment == "Short"


@pytest.mark.parametrize(
    ("reference", "gain_db"),
    [("-23.0 LUFS", -4.4), ("-18 LUFS", -9.4), ("89.0 dB", -9.4), ("83 dB", -3.4), ("loud", -9.4)],
)
def test_gains_for_another_loudness_are_brought_to_ours(
    reference: str, gain_db: float, vorbis: Callable[..., Tags]
) -> None:
    tags = vorbis({"replaygain_track_gain": "-9.4 dB", "replaygain_reference_loudness": reference})
    assert tags.replaygain.track_gain_db == pytest.approx(gain_db)
    assert tags.others == {"replaygain_reference_loudness": [reference]}


@pytest.mark.parametrize(
    "items",
    [
        {"Year": "2001", "Date": "2001-05-06"},
        {"Date": "2001-05-06", "Year": "2001"},
        {"Year": "2001-05-06", "Date": "2001"},
    ],
)
def test_of_two_dates_of_ape_the_more_precise_one_counts(
    items: dict[str, str], make_file: MakeFile
) -> None:
    path = make_file("a.wv")
    ape = APEv2()
    ape.update(items)
    ape.save(path)
    assert read(path).release_date == "2001-05-06"


def test_a_name_without_an_involvement_is_no_instrument(mp3: Callable[..., Tags]) -> None:
    tags = mp3(IPLS(people=[["Arno Arr", ""], ["producer", ""]]), version=3)
    assert credited(tags, "arranger") == [("Arno Arr", None)]
    assert len(tags.contributors) == 1
    assert credited(mp3(TMCL(people=[["Gus", ""]])), "performer") == [("Gus", None)]


def test_names_of_other_taggers_are_known(vorbis: Callable[..., Tags], make_file: MakeFile) -> None:
    tags = vorbis(
        {"album": "A", "sourcemedia": "CD", "labelid": "CAT-1", "remixedby": "R", "author": "Ann",
         "encoded-by": "me"}
    )  # fmt: skip
    assert (tags.release.media, tags.release.catalogue_number) == ("CD", "CAT-1")
    assert (credited(tags, "remixer"), names(tags)) == ([("R", None)], ["Ann"])
    assert tags.others == {"encodedby": ["me"]}
    both = vorbis({"artist": "Ann", "author": "Bob"})
    assert (names(both), both.others) == (["Ann"], {"author": ["Bob"]})
    path = make_file("a.wma")
    file: Any = mutagen.File(path)
    file.update({"WM/Text": "Fine", "ReplayGain/Track": "-6.2", "ReplayGain/Track Peak": "0.9"})
    file.save()
    assert read(path).comment == "Fine"
    assert read(path).replaygain == ReplayGain(-6.2, 0.9)


# Gains in the header of the stream


def _with_lame_header(content: bytes, gain: int) -> bytes:
    """The MP3 with LAME's header in its first frame, and this gain in tenths of a dB."""
    at = max(content.find(b"Info"), content.find(b"Xing")) + 8 + 4 + 4 + 100 + 4
    gain_field = 1 << 13 | 3 << 10 | (gain < 0) << 9 | abs(gain)
    header = b"LAME3.100" + bytes((0x04, 190)) + (2**22).to_bytes(4, "big")
    header += gain_field.to_bytes(2, "big") + bytes(2)
    return content[:at] + header + content[at + len(header) :]


def test_lames_gain_counts_where_no_tag_has_one(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    path.write_bytes(_with_lame_header(path.read_bytes(), -62))
    assert read(path).replaygain == ReplayGain(-6.2, 0.5)
    with path.open("rb") as file:
        assert read_with_mutagen(file, ".mp3").raw["replaygain_track_gain"] == ["-6.20 dB"]
    tags = ID3()
    tags.add(TXXX(desc="REPLAYGAIN_TRACK_GAIN", text="-3 dB"))
    tags.save(path)
    assert read(path).replaygain.track_gain_db == -3


def test_mpcgain_keeps_its_gains_in_the_header(make_file: MakeFile) -> None:
    path = make_file("a.mpc")
    content = bytearray(path.read_bytes())
    assert read(path).replaygain == ReplayGain()
    at = content.index(b"RG\x0c\x01") + 4
    # Stream version 8: 64.82 dB less 256ths of a dB; peaks are 0 here, which is "not known".
    content[at : at + 8] = struct.pack(">4h", round(71.02 * 256), 0, round(69.92 * 256), 0)
    path.write_bytes(content)
    gain = read(path).replaygain
    assert (gain.track_gain_db, gain.album_gain_db) == (-6.2, -5.1)


# MP4


def test_no_atom_is_dropped(mp4: Callable[..., Tags]) -> None:
    kept = {"\xa9enc": ["me"], "egid": ["g"], "\xa9url": ["http://e.org"], "cnid": ["7"]}
    tags = mp4({"\xa9enc": "me", "rate": "80", "egid": "g", "\xa9url": "http://e.org", "cnID": [7]})
    assert kept.items() <= tags.others.items()
    assert tags.imported == (ImportedFactInput(source="tags", rating=80),)


def test_free_names_may_end_in_nul_and_belong_to_anybody(mp4: Callable[..., Tags]) -> None:
    gain = mp4(free("replaygain_track_gain\0", b"-6.2 dB")).replaygain
    assert gain.track_gain_db == -6.2
    assert mp4(free("key", b"8A", "com.serato.dj")).key == "8A"


@pytest.mark.parametrize(
    ("whole", "exact", "expected"),
    [(127, b"127.6", 127.6), (0, b"127.6", 127.6), (128, b"127.53", 127.53), (90, b"127.6", 90)],
)
def test_a_tempo_with_a_fraction_is_better_than_mp4s_whole_number(
    whole: int, exact: bytes, expected: float, mp4: Callable[..., Tags], mp3: Callable[..., Tags]
) -> None:
    assert mp4({"tmpo": [whole], **free("BPM", exact)}).bpm == expected
    frames = (TBPM(text=str(whole)), TXXX(desc="BPM", text=exact.decode()))
    assert mp3(*frames).bpm == expected


# Texts


@pytest.mark.parametrize("suffix", [".ape", ".wv", ".mp3", ".m4a", ".flac"])
def test_text_that_is_no_utf8_is_read_with_replacements(suffix: str, make_file: MakeFile) -> None:
    path = make_file(f"a{suffix}")
    if suffix in {".m4a", ".flac"}:
        file: Any = mutagen.File(path)
        file.update(
            {"\xa9nam": "JQga", "\xa9ART": "Ann"}
            if suffix == ".m4a"
            else {"title": "JQga", "artist": "Ann"}
        )
        file.save()
    else:
        ape = APEv2()
        ape.update({"Title": "JQga", "Artist": "Ann", "Cover Art (Front)": b"x\0\xff\xd8\xff"})
        ape.save(path)
    path.write_bytes(path.read_bytes().replace(b"JQga", b"J\xf3ga"))
    tags = read(path)
    assert (tags.title, names(tags)) == ("J\ufffdga", ["Ann"])
    if suffix == ".wv":
        path.write_bytes(b"ID3\3" + bytes(6) + path.read_bytes())
        assert read(path).title == "J\ufffdga"


@pytest.mark.parametrize("suffix", [".ape", ".wv", ".mp3", ".flac"])
def test_lists_of_ape_may_be_several_items_of_one_key(suffix: str, make_file: MakeFile) -> None:
    path = make_file(f"a{suffix}")
    ape = APEv2()
    # The keys have one length: one is renamed behind mutagen's back, which allows no repetition.
    ape["Artist"], ape["Artisu"], ape["Genre"], ape["Title"] = "Ann", "Ben", ["Rock", "Jazz"], "T"
    ape.save(path)
    path.write_bytes(path.read_bytes().replace(b"Artisu", b"ARTIST"))
    tags = read(path)
    assert (names(tags), tags.genres, tags.title) == (["Ann", "Ben"], ("Rock", "Jazz"), "T")


@pytest.mark.parametrize("suffix", [".mp3", ".tta", ".wav", ".aiff", ".dsf", ".dff"])
def test_id3_text_that_is_no_utf8_is_read_with_replacements(
    suffix: str, make_file: MakeFile
) -> None:
    path = make_file(f"a{suffix}")
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for frame in (
        TIT2(encoding=3, text="Gr12e"), TXXX(encoding=3, desc="ARTISTS", text=["Gr12e", "Ben"]),
        COMM(encoding=3, lang="eng", desc="", text="Gr12e"), TALB(encoding=3, text="Høst"),
    ):  # fmt: skip
        file.tags.add(frame)
    file.save()
    path.write_bytes(path.read_bytes().replace(b"Gr12e", "Grüße".encode("latin-1")))
    tags = read(path)
    assert (tags.title, tags.comment) == ("Gr\ufffd\ufffde", "Gr\ufffd\ufffde")
    assert names(tags) == ["Gr\ufffd\ufffde", "Ben"]
    assert tags.release.title == "Høst"


def test_wma_text_with_half_a_character_does_not_refuse_the_file(make_file: MakeFile) -> None:
    path = make_file("a.wma")
    file: Any = mutagen.File(path)
    file["Title"], file["WM/AlbumTitle"], file["Author"] = ["Gr1e"], ["Gr2e"], ["Ann"]
    file.save()
    content = path.read_bytes()
    for digit in "12":
        content = content.replace(digit.encode("utf-16-le"), b"\x00\xd8")
    path.write_bytes(content)
    tags = read(path)
    assert (tags.title, tags.release.title, names(tags)) == ("Gr\ufffde", "Gr\ufffde", ["Ann"])


def test_recording_dates_of_id3_2_3_are_kept(make_file: MakeFile) -> None:
    for end in (b"", b"APETAGEX".ljust(32, b"\0")):  # which leaves the file to mutagen
        path = make_file("a.mp3")
        text = b"\0" + b"4th-7th June"
        frame = b"TRDA" + struct.pack(">I", len(text)) + b"\0\0" + text
        tag = b"ID3\3\0\0" + bytes([0, 0, 0, len(frame)]) + frame
        path.write_bytes(tag + path.read_bytes() + end)
        assert read(path).others["trda"] == ["4th-7th June"]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("A1", 1), ("B2", 102), ("AA", 101), ("Side B", 101), ("A1b", 1), ("3a", 3), ("3.", 3),
        ("#3", 3), ("No. 3", 3), ("Track 3", 3), ("1-03", None), ("III", None),
    ],
)  # fmt: skip
def test_numbers_keep_their_text_where_they_are_more_than_a_number(
    written: str, number: int | None, vorbis: Callable[..., Tags]
) -> None:
    tags = vorbis({"tracknumber": written, "title": "T"})
    assert (tags.track.number, tags.others["tracknumber"]) == (number, [written])
    for plain in ("3", "03", "3/12", "3 of 12", " 3 ", "/12"):
        assert "tracknumber" not in vorbis({"tracknumber": plain}).others


def test_an_info_text_ends_at_its_first_nul(make_file: MakeFile) -> None:
    path = make_file("a.wav")
    text = "阿拉".encode() + b"\0h\xff\xbfh\xff"
    info = b"INFOINAM" + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    whole = path.read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    assert read(path).title == "阿拉"


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        ("1999", "1999"),
        ("1999-05-06T07:00:00Z", "1999-05-06"),
        ("1999-05-06 07:00", "1999-05-06"),
        ("May 2023", "2023-05"),
        ("c. 1969", "1969"),
    ],
)
def test_years_of_id3_are_dates_of_all_kinds(
    year: str, expected: str, mp3: Callable[..., Tags], make_file: MakeFile
) -> None:
    assert mp3(TYER(text=year), version=3).release_date == expected
    assert mp3(TDRC(text="x"), TYER(text=year), version=3).release_date is not None
    original = mp3(TORY(text=year), version=3).original_date
    assert original == expected
    for path in (make_file("a.wav"), make_file("a.aiff")):
        file: Any = mutagen.File(path)
        file.add_tags()
        file.tags.add(TYER(text=year))
        file.save(v2_version=3)
        assert read(path).release_date == expected


def test_a_recording_time_in_words_is_one(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    text = b"\0Oct 3, 1995"
    frame = b"TDRC" + bytes((0, 0, 0, len(text), 0, 0)) + text
    path.write_bytes(b"ID3\4\0\0\0\0\0" + bytes([len(frame)]) + frame + path.read_bytes())
    assert read(path).release_date == "1995-10-03"


def test_a_year_of_id3_2_3_in_2_4_goes_before_that_of_id3v1(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    frame = b"TYER" + bytes((0, 0, 0, 5, 0, 0)) + b"\x002001"
    v1 = b"TAG" + b"Title".ljust(90, b"\0") + b"1999" + bytes(30) + b"\xff"
    path.write_bytes(b"ID3\4\0\0\0\0\0" + bytes([len(frame)]) + frame + path.read_bytes() + v1)
    assert read(path).release_date == "2001"


def test_further_values_of_a_field_are_kept(
    vorbis: Callable[..., Tags], mp3: Callable[..., Tags]
) -> None:
    tags = vorbis({"title": ["One", "Eins"], "comment": ["C", "D"], "tracknumber": "B2"})
    assert (tags.title, tags.comment, tags.track.number) == ("One", "C", 102)
    assert tags.others == {"title": ["Eins"], "comment": ["D"], "tracknumber": ["B2"]}
    long = mp3(COMM(lang="eng", desc="", text="A comment of more than thirty letters"), v1=2)
    assert long.others == {}


# DJ software


def encoded(**document: Any) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


SERATO = base64.b64encode(
    b"application/octet-stream\0\0Serato Markers2\0\1\1" + b"\xfa\x80\0" * 60
).decode()


def test_mixed_in_keys_key_is_text(vorbis: Callable[..., Tags], mp4: Callable[..., Tags]) -> None:
    key = encoded(algorithm=94, key="8A", source="mixedinkey")
    assert vorbis({"key": key}).key == "8A"
    assert vorbis({"key": key.rstrip("=")}).key == "8A"
    tags = mp4(free("key", key.encode(), "com.mixedinkey.mixedinkey"))
    assert tags.key == "8A"
    energy = vorbis({"energy": encoded(algorithm=94, energyLevel=7, source="mixedinkey")})
    assert energy.imported == (ImportedFactInput(source="mixed in key", energy=7),)
    assert energy.others == {}


def test_nothing_undecodable_is_among_the_other_tags(
    vorbis: Callable[..., Tags], mp4: Callable[..., Tags], mp3: Callable[..., Tags]
) -> None:
    wrapped = "\n".join(SERATO[at : at + 72] for at in range(0, len(SERATO), 72))
    cues = encoded(algorithm=94, cues=[{"name": "Cue 1", "time": 1.5}], source="mixedinkey")
    inner = base64.b64encode(bytes(range(256))).decode()
    comments = {
        "serato_markers_v2": SERATO, "serato_beatgrid": wrapped.rstrip("="), "cuepoints": cues,
        "traktor4": inner,
    }  # fmt: skip
    assert vorbis(comments).others == {}
    assert mp3(*(TXXX(desc=name, text=text) for name, text in comments.items())).others == {}
    atoms = free("markersv2", wrapped.encode(), "com.serato.dj") | free("Params", bytes(range(99)))
    assert mp4(atoms).others.keys() <= {"encodedby"}
    texts = {"sha": "0f" * 60, "note": "word " * 60, "id": "x" * 60, "url": "https://e.org/" * 9}
    assert vorbis(texts).others == {name: [text.strip()] for name, text in texts.items()}


# Untagged files


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Ann Arbour/Deep Water/03 Hyper.flac", ("Hyper", "Ann Arbour", 3, "Deep Water")),
        ("Ann/Deep (1999)/CD2/03 - Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("Ann - Deep/03. Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("Ann/1999 - Deep/2-03 Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("Ann/Deep [FLAC]/03 Song - Live.flac", ("Song - Live", "Ann", 3, "Deep")),
        ("Ann/Deep/03 - Ann - Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("VA/Hits/07 - Bob - Song.flac", ("Song", "Bob", 7, "Hits")),
        ("Ann - Hyper.flac", ("Hyper", "Ann", None, "")),
        ("Ann_Arbour_-_Hyper.flac", ("Hyper", "Ann Arbour", None, "")),
        ("Ann - Deep - 03 - Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("Ann/Deep/B2 Hyper.flac", ("Hyper", "Ann", 102, "Deep")),
        ("Ann/Deep/Track 03.flac", ("Track 03", "Ann", 3, "Deep")),
        ("Ann/Deep/[03] Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("Ann/Deep/(03) Hyper.flac", ("Hyper", "Ann", 3, "Deep")),
        ("99 Balloons.flac", ("99 Balloons", "", None, "")),
        ("Folder/song.flac", ("song", "", None, "")),
        ("Downloads/song.flac", ("song", "", None, "")),
        ("song.flac", ("song", "", None, "")),
    ],
)
def test_a_file_without_tags_is_told_by_its_path(
    path: str, expected: tuple[object, ...], tmp_path: Path, make_file: MakeFile
) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    make_file("a.flac").rename(tmp_path / path)
    (file,) = read_chunk(str(tmp_path), [path]).files
    fields = file.track_fields or {}
    assert (
        fields["title"], fields["artist_credit"], fields.get("track_number"), file.release.title,
    ) == expected  # fmt: skip
    assert fields["title_is_file_name"]
    guessed = fields.get("other_tags", {}).get(GUESSED_TAG, [])
    assert ("artist" in guessed, "album" in guessed) == (bool(expected[1]), bool(expected[3]))
    assert not (file.release.title and not expected[1]) or not file.release.is_artist_told


@pytest.mark.parametrize(
    "comments", [{"title": "T"}, {"artist": "T"}, {"album": "T"}, {"title": "T", "genre": "G"}]
)
def test_no_guess_goes_over_a_tag(
    comments: dict[str, str], tmp_path: Path, make_file: MakeFile
) -> None:
    path = make_file("Ann/Deep/03 Hyper.flac")
    file: Any = mutagen.File(path)
    file.update(comments)
    file.save()
    (read_,) = read_chunk(str(tmp_path), ["Ann/Deep/03 Hyper.flac"]).files
    fields = read_.track_fields or {}
    assert GUESSED_TAG not in fields.get("other_tags", {})
    assert "Ann" not in str(fields)
    assert fields.get("track_number") is None


def test_a_number_without_other_tags_stays(tmp_path: Path, make_file: MakeFile) -> None:
    path = make_file("Ann/Deep/03 Hyper.flac")
    file: Any = mutagen.File(path)
    file.update(tracknumber="9", comment="C")
    file.save()
    (read_,) = read_chunk(str(tmp_path), ["Ann/Deep/03 Hyper.flac"]).files
    assert (read_.track_fields or {})["track_number"] == 9
