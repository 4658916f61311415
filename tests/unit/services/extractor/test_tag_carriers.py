"""Each kind of tags in each container that can have it."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, MCDI, PCST, POPM, SYLT, TALB, TDRC, TIPL, TIT2, TMCL, TPE1, TRCK, WXXX
from mutagen.mp4 import MP4FreeForm

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.file_reader import read_file
from services.extractor.read.tag_reader import read_metadata
from services.extractor.tags.model import Contributor, CreditedName, Numbered, Tags
from services.extractor.tags.raw_tags import RawTags

MakeFile = Callable[[str], Path]


def save_id3(path: Path, **options: Any) -> None:
    tags = ID3()
    for frame in (
        TIT2(encoding=3, text="Jóga"), TPE1(encoding=3, text="Björk"), TALB(text="Homogenic"),
        TRCK(text="2/10"), TDRC(text="1997"),
    ):  # fmt: skip
        tags.add(frame)
    if path.suffix in {".dsf", ".dff", ".wav", ".aiff"}:
        file: Any = mutagen.File(path)
        file.add_tags()
        file.tags.update(tags)
        file.save(**options)
    else:
        tags.save(path, **options)


def save_id3_v1(path: Path) -> None:
    save_id3(path, v1=2)
    ID3(path).delete(path, delete_v1=False)


def save_ape(path: Path) -> None:
    tags = APEv2()
    tags.update(
        {"Title": "Jóga", "Artist": "Björk", "Album": "Homogenic", "Track": "2/10", "Year": "1997"}
    )
    tags.save(path)


def save_vorbis(path: Path) -> None:
    file = mutagen.File(path)
    file.update(title="Jóga", artist="Björk", album="Homogenic", tracknumber="2/10", date="1997")
    file.save()


def save_mp4(path: Path) -> None:
    file = mutagen.File(path)
    file.update({
        "\xa9nam": "Jóga", "\xa9ART": "Björk", "\xa9alb": "Homogenic", "trkn": [(2, 10)],
        "\xa9day": "1997",
    })  # fmt: skip
    file.save()


def save_asf(path: Path) -> None:
    file = mutagen.File(path)
    file.update({
        "Title": "Jóga", "Author": "Björk", "WM/AlbumTitle": "Homogenic", "WM/TrackNumber": "2/10",
        "WM/Year": "1997",
    })  # fmt: skip
    file.save()


def save_chunks(path: Path, order: str, texts: dict[bytes, bytes]) -> bytes:
    return b"".join(
        name + struct.pack(f"{order}I", len(text)) + text + b"\0" * (len(text) % 2)
        for name, text in texts.items()
    )


def save_info(path: Path) -> None:
    info = b"INFO" + save_chunks(path, "<", {
        b"INAM": "Jóga".encode("cp1252"), b"IART": "Björk".encode() + b"\0", b"IPRD": b"Homogenic",
        b"ITRK": b"2/10", b"ICRD": b"1997",
    })  # fmt: skip
    whole = path.read_bytes() + save_chunks(path, "<", {b"LIST": info})
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])


def save_aiff_texts(path: Path) -> None:
    whole = path.read_bytes() + save_chunks(
        path, ">", {b"NAME": "Jóga".encode(), b"AUTH": b"Bj\xf6rk"}
    )
    path.write_bytes(whole[:4] + struct.pack(">I", len(whole) - 8) + whole[8:])


_CARRIED = {
    save_id3: (".mp3", ".mp2", ".wav", ".aiff", ".dsf", ".dff", ".tta", ".aac", ".ac3", ".eac3"),
    save_id3_v1: (".mp3", ".aac", ".ac3", ".tta"),
    save_ape: (
        ".ape", ".wv", ".mpc", ".mp3", ".mp2", ".aac", ".ac3", ".eac3", ".tta",
    ),
    save_vorbis: (".flac", ".ogg", ".opus", ".spx", ".oga"),
    save_mp4: (".m4a", ".m4b", ".alac.m4a"),
    save_asf: (".wma",),
    save_info: (".wav",),
}  # fmt: skip


def read(path: Path) -> Tags:
    return read_file(os.fsencode(path)).tags


def read_raw(path: Path) -> RawTags:
    with path.open("rb") as opened:
        file = FileBytes(opened.fileno(), path.stat().st_size)
        return read_metadata(file, path, path.suffix).raw


@pytest.mark.parametrize(
    ("save", "suffix"),
    [
        pytest.param(save, suffix, id=f"{save.__name__[5:]}-{suffix[1:]}")
        for save, suffixes in _CARRIED.items()
        for suffix in suffixes
    ],
)
def test_each_kind_of_tags_is_read_in_each_container(
    save: Callable[[Path], None], suffix: str, make_file: MakeFile
) -> None:
    path = make_file(f"a{suffix}")
    save(path)
    tags = read(path)
    assert (tags.title, tags.artist_credit) == ("Jóga", "Björk")
    assert (tags.release.title, tags.release_date) == ("Homogenic", "1997")
    assert tags.track.number == 2


@pytest.mark.parametrize("version", [3, 4])
def test_id3v2_3_and_2_4_are_read(version: int, make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    save_id3(path, v2_version=version)
    assert (read(path).title, read(path).track) == ("Jóga", Numbered(2, 10))


def test_id3v2_2_is_read(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    frames = b"".join(
        name + struct.pack(">I", len(text) + 1)[1:] + b"\0" + text
        for name, text in {b"TT2": b"J\xf3ga", b"TP1": b"Bj\xf6rk", b"TRK": b"2/10"}.items()
    )
    path.write_bytes(b"ID3\2\0\0\0\0\0" + bytes([len(frames)]) + frames + path.read_bytes())
    tags = read(path)
    assert (tags.title, tags.artist_credit, tags.track) == ("Jóga", "Björk", Numbered(2, 10))


def test_text_chunks_of_an_aiff_are_read(make_file: MakeFile) -> None:
    path = make_file("a.aiff")
    save_aiff_texts(path)
    assert (read(path).title, read(path).artist_credit) == ("Jóga", "Björk")


def test_a_better_tag_wins_and_another_completes_it(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    tags = APEv2()
    tags.update(
        {"Title": "From APE", "Album": "Homogenic", "Cover Art (Front)": b"x\0\xff\xd8\xff"}
    )
    tags.save(path)
    only_v1 = ID3()
    only_v1.add(TIT2(text="Cut at thirty letter"))
    only_v1.save(path, v1=2)
    both = read_file(os.fsencode(path))
    assert (both.tags.title, both.tags.release.title) == ("Cut at thirty letter", "Homogenic")
    assert both.cover is not None
    ID3(path).delete(path, delete_v1=False)
    assert read(path).title == "From APE"


@pytest.mark.parametrize("suffix", [".mp3", ".aac", ".ac3", ".wav"])
def test_a_damaged_second_tag_does_not_affect_the_rest(suffix: str, make_file: MakeFile) -> None:
    path = make_file(f"a{suffix}")
    (save_info if suffix == ".wav" else save_ape)(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-60] + b"\xff" * 28 + whole[-32:])
    assert read(path).audio.duration_s > 0.5


@pytest.mark.parametrize(
    ("written", "name", "instrument"),
    [
        ("Ann", "Ann", None),
        ("Ann (guitar)", "Ann", "guitar"),
        ("Ann (lead vocals (live))", "Ann", "lead vocals (live)"),
        ("(guitar)", "(guitar)", None),
        ("Ann ()", "Ann", None),
        ("Ann)", "Ann)", None),
    ],
)
def test_the_instrument_is_not_part_of_a_performers_name(
    written: str, name: str, instrument: str | None, make_file: MakeFile
) -> None:
    path = make_file("a.flac")
    file = mutagen.File(path)
    file.update(performer=written)
    file.save()
    assert read(path).contributors == (Contributor("performer", CreditedName(name), instrument),)


def test_people_in_id3_have_roles_or_instruments(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    tags = ID3()
    tags.add(TIPL(people=[["engineer", "Eve"], ["DJ-mix", "Dan"], ["mix", "Max"], ["oboe", "Ole"]]))
    tags.add(TMCL(people=[["guitar", "Ann"], ["", "Bob"]]))
    tags.save(path)
    found = read(path).contributors
    assert {(one.role, one.name.name, one.instrument) for one in found} == {
        ("performer", "Ole", "oboe"),
        ("performer", "Ann", "guitar"),
        ("performer", "Bob", None),
        ("engineer", "Eve", None),
        ("mixer", "Max", None),
        ("djmixer", "Dan", None),
    }


def test_tags_without_a_field_are_read_by_name(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    tags = ID3()
    for frame in (
        POPM(email="A@b", rating=196, count=7), PCST(value=1), MCDI(data=b"\0"),
        SYLT(format=2, type=1, text=[("One", 1_000), ("Two", 61_500)]), WXXX(desc="Shop", url="u"),
    ):  # fmt: skip
        tags.add(frame)
    tags.save(path)
    raw = read_raw(path)
    assert raw == {
        "popm:a@b": ["196/7"],
        "podcast": ["1"],
        "syncedlyrics": ["[00:01.000]One\n[01:01.500]Two"],
        "shop": ["u"],
    }
    path = make_file("a.m4a")
    file = mutagen.File(path)
    file.update({
        "\xa9wrk": "Work", "\xa9mvn": "Part", "\xa9mvi": [2], "\xa9mvc": [4], "\xa9grp": "Group",
        "soal": "Al", "soco": "Co", "pcst": True, "stik": [2], "rtng": [4], "cprt": "Me",
        "----:com.apple.iTunes:Odd": MP4FreeForm(b"thing"),
    })  # fmt: skip
    file.save()
    raw = read_raw(path)
    del raw["encodedby"]
    assert raw == {
        "work": ["Work"], "movement": ["Part"], "movementnumber": ["2"], "movementtotal": ["4"],
        "grouping": ["Group"], "albumsort": ["Al"], "composersort": ["Co"], "podcast": ["1"],
        "itunesmediatype": ["2"], "itunesadvisory": ["4"], "copyright": ["Me"], "odd": ["thing"],
    }  # fmt: skip
