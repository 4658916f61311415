"""The files that cue sheets are of, and the tracks that they become."""

from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex
from mutagen.id3 import ID3, TXXX

from services.extractor.covers.images import images_digest
from services.extractor.cue.parts import part_tags
from services.extractor.cue.sheet import parse_sheet
from services.extractor.cue.sidecars import folder_sheets
from services.extractor.read.file_reader import FileContents, read_file
from services.extractor.read.jobs import read_chunk
from services.extractor.scan.walk import Walk
from services.extractor.store.inputs import images_digest_of
from services.extractor.tags.raw_tags import OBJECT
from tests.unit.services.extractor.test_chapters import write
from tests.unit.services.extractor.test_cue_sheets import GAPS_IN_FILES, TWO


def music(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        soundfile.write(folder / "sound.flac", np.zeros(8_000 * 10), 8_000)
        (folder / "sound.flac").rename(folder / name)


@pytest.mark.parametrize(
    ("names", "cue", "named", "found"),
    [
        (["album.flac"], "album.cue", "album.flac", ["album.flac"]),
        (["album.flac"], "x.cue", "ALBUM.WAV", ["album.flac"]),
        (["album.flac"], "x.cue", r"D:\Rips\album.wav", ["album.flac"]),
        (["album.flac"], "x.cue", "../CD/album.ape", ["album.flac"]),
        (["album.flac"], "x.cue", "CDImage.wav", ["album.flac"]),
        (["album.flac", "other.flac"], "x.cue", "CDImage.wav", []),
        (["album.flac", "other.flac"], "album.cue", "CDImage.wav", ["album.flac"]),
        (["album.flac", "other.flac"], "album.flac.cue", "CDImage.wav", ["album.flac"]),
        (["album.flac", "album.mp3"], "x.cue", "album.wav", ["album.flac", "album.mp3"]),
        (["album.flac", "album.mp3"], "x.cue", "album.mp3", ["album.mp3"]),
        (["Über.flac"], "x.CUE", "U\u0308ber.wav", ["Über.flac"]),
    ],
)
def test_a_sheet_is_of_the_file_that_it_means(
    tmp_path: Path, names: list[str], cue: str, named: str, found: list[str]
) -> None:
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / cue).write_text(TWO.replace("album.wav", named))
    assert sorted(folder_sheets(str(tmp_path), "").by_name) == found


def test_of_two_sheets_the_one_named_like_the_file_counts_and_is_named(tmp_path: Path) -> None:
    music(tmp_path, "album.flac")
    (tmp_path / "a first.cue").write_text(TWO.replace("album.wav", "album.flac"))
    (tmp_path / "album.cue").write_text(TWO.replace("00:05", "00:07"))
    (tmp_path / "z last.cue").write_text(TWO)
    (first, second) = read_chunk(str(tmp_path), ["album.flac"]).files
    assert first.part and second.part
    assert (first.part.sheet, first.part.end_s) == ("album.cue", 7)
    # If that one is damaged, the next one counts, and the track says so.
    (tmp_path / "album.cue").write_text("no sheet")
    (first, _) = read_chunk(str(tmp_path), ["album.flac"]).files
    assert first.part
    assert (first.part.sheet, first.part.end_s) == ("a first.cue", 5)
    assert first.cue_problem == "album.cue: it names no tracks"


def test_a_sheet_of_a_file_that_is_not_there_is_ignored(tmp_path: Path) -> None:
    music(tmp_path, "a.flac", "b.flac")
    (tmp_path / "x.cue").write_text(TWO)
    found = read_chunk(str(tmp_path), ["a.flac", "b.flac"]).files
    assert [(each.part, each.cue_problem, each.error) for each in found] == [(None, None, None)] * 2


def test_a_sheet_that_cannot_be_read_is_a_problem_of_its_file(tmp_path: Path) -> None:
    music(tmp_path, "album.flac")
    (tmp_path / "album.cue").write_bytes(b"x" * 1_000_001)
    (whole,) = read_chunk(str(tmp_path), ["album.flac"]).files
    assert whole.cue_problem == "album.cue: has more than 1,000,000 bytes"


# The digest of what lies beside a file.


def digests(root: Path) -> set[int]:
    """The digests by the walk and by the readers, of all files."""
    walked = {file.path: file.images_digest for file in Walk(str(root)).files()}
    read = read_chunk(str(root), sorted(walked)).files
    made = {each.path: images_digest_of({}, each.path, each.sheets_state) for each in read}
    assert made == walked
    return set(walked.values())


def test_walk_and_readers_agree_on_the_state_of_cue_sheets(tmp_path: Path) -> None:
    music(tmp_path / "A", "album.flac")
    music(tmp_path / "A/CD1", "1.flac")
    seen = [digests(tmp_path)]
    assert seen[0] == {images_digest(())}
    sheet = tmp_path / "A/album.cue"
    for text in (TWO, TWO.replace("00:05", "00:07 "), None):
        sheet.write_text(text) if text else sheet.unlink()
        seen.append(digests(tmp_path))
    assert len(seen[1]) == 2  # the folder below has a state of its own
    assert seen[1] != seen[2]
    assert seen[3] == seen[0]


def test_a_link_to_a_sheet_counts_and_a_folder_of_such_a_name_does_not(tmp_path: Path) -> None:
    music(tmp_path / "A", "album.flac")
    (tmp_path / "elsewhere").write_text(TWO)
    (tmp_path / "A/dir.cue").mkdir()
    without = digests(tmp_path)
    (tmp_path / "A/album.cue").symlink_to(tmp_path / "elsewhere")
    assert digests(tmp_path) != without
    assert len(read_chunk(str(tmp_path), ["A/album.flac"]).files) == 2


# In the file.


def contents(path: Path) -> FileContents:
    return read_file(bytes(path))


def titles(path: Path) -> list[str]:
    return [tags.title for _, tags in contents(path).parts]


def test_a_sheet_in_a_tag_makes_parts_whatever_file_it_names(tmp_path: Path) -> None:
    music(tmp_path, "album.flac")
    file = FLAC(tmp_path / "album.flac")
    file["cuesheet"] = TWO.replace("album.wav", "CDImage.wav").replace(
        "    INDEX 01 00:05", '    TITLE "Two"\n    INDEX 01 00:05'
    )
    file["cue_track01_title"] = "By foobar2000"
    file.save()
    assert titles(tmp_path / "album.flac") == ["By foobar2000", "Two"]
    part, tags = contents(tmp_path / "album.flac").parts[0]
    assert part.sheet == "embedded"
    assert tags.others == {}
    # One beside the file is what people see and change: it goes before.
    (tmp_path / "album.cue").write_text(TWO.replace("00:05", "00:07"))
    (first, _) = read_chunk(str(tmp_path), ["album.flac"]).files
    assert first.part and first.part.end_s == 7


def embed(path: Path, text: str) -> None:
    """Write a sheet into a file as taggers do."""
    file: Any = mutagen.File(path) if path.suffix != ".mp3" else ID3()
    if path.suffix == ".mp3":
        file.add(TXXX(desc="CUESHEET", text=[text]))
        file.save(path)
        return
    if file.tags is None:
        file.add_tags()
    file["----:com.apple.iTunes:cuesheet" if path.suffix == ".m4a" else "Cuesheet"] = (
        text.encode() if path.suffix == ".m4a" else text
    )
    file.save()


@pytest.mark.parametrize("ending", [".flac", ".opus", ".wv", ".mp3", ".m4a", ".tta"])
def test_a_sheet_may_be_in_any_container(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"album{ending}", ())
    if ending == ".tta":
        with path.open("ab") as file:  # an APEv2 tag, as foobar2000 writes it
            tags = APEv2()
            tags["Cuesheet"] = TWO
            tags.save(tmp_path / "tag")
            file.write((tmp_path / "tag").read_bytes())
    else:
        embed(path, TWO)
    assert titles(path) == ["Track 1", "Track 2"]
    assert contents(path).parts[1][1].audio.duration_s == pytest.approx(7, abs=0.1)


def test_a_sheet_of_many_files_in_one_of_them_does_not_split_it(tmp_path: Path) -> None:
    music(tmp_path, "02.flac")
    file = FLAC(tmp_path / "02.flac")
    file["cuesheet"] = GAPS_IN_FILES
    file.save()
    found = contents(tmp_path / "02.flac")
    assert (found.parts, found.cue_problem, found.tags.title) == ([], None, "Two")


def test_flacs_block_makes_parts_without_titles(tmp_path: Path) -> None:
    music(tmp_path, "album.flac")
    file = FLAC(tmp_path / "album.flac")
    sheet = CueSheet(None)
    sheet.media_catalog_number = b"0602537347872"
    for number, offset in ((1, 0), (2, 40_000), (170, 80_000)):
        track = CueSheetTrack(number, offset, isrc=b"USRC1760783%d" % (number % 10))
        if number != 170:
            track.indexes.append(CueSheetTrackIndex(1, 0))
        sheet.tracks.append(track)
    file.cuesheet = sheet
    file.metadata_blocks.append(sheet)
    file["album"], file["artist"] = "Whole", "Ann"
    file.save()
    (one, first), (two, second) = contents(tmp_path / "album.flac").parts
    assert (one.start_s, one.end_s, two.start_s, two.end_s) == (0, 5, 5, None)
    assert (first.title, second.title) == ("Track 1", "Track 2")
    assert first.isrcs == ("USRC17607831",)
    assert (second.release.title, second.artist_credit, second.release.barcode) == (
        "Whole", "Ann", "0602537347872",
    )  # fmt: skip


# Tags of a part.


def test_the_sheet_goes_before_the_file_and_the_file_fills_in() -> None:
    raw = {
        "title": ["Whole"], "artist": ["Ann"], "musicbrainz_artistid": ["1"], "date": ["1998"],
        "genre": ["Pop"], "label": ["L"], "tracknumber": ["7"], "lyrics": ["all"], "bpm": ["99"],
        "replaygain_track_gain": ["-3 dB"], "replaygain_album_gain": ["-4 dB"], "popm:x": ["255/3"],
        "cuesheet": ["..."],
    }  # fmt: skip
    sheet = parse_sheet(f"REM GENRE Jazz\n{TWO}").tracks
    whole = parse_sheet(f"REM GENRE Jazz\n{TWO}")
    assert part_tags(raw, whole, sheet[1]) == {
        # Without a title of an album, the file's title names the whole.
        "album": ["Whole"], "artist": ["Ann"], "musicbrainz_artistid": ["1"], "date": ["1998"],
        "genre": ["Jazz"], "label": ["L"], "replaygain_album_gain": ["-4 dB"],
        "title": ["Track 2"], "tracknumber": ["2"], "totaltracks": ["2"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "popm:x", "rating", "rating:x", "playcount", "play count:x", "pcnt", "fmps_rating",
        "wm/shareduserrating", "energy", "energylevel", "serato_markers_v2", "beatgrid",
        "cuepoints", f"{OBJECT}serato markers2", "traktor4",
    ],
)  # fmt: skip
def test_what_programs_say_of_the_file_is_said_of_none_of_its_parts(name: str) -> None:
    sheet = parse_sheet(TWO)
    assert name not in part_tags({name: ["1"], "mood": ["calm"]}, sheet, sheet.tracks[1])


def test_the_files_ids_stay_with_the_name_that_they_are_of() -> None:
    raw = {"artist": ["Ann"], "musicbrainz_artistid": ["1"], "artistsort": ["A"]}
    sheet = parse_sheet('PERFORMER "ANN"\n' + TWO + '    PERFORMER "Ben"\n')
    one, two = sheet.tracks
    assert part_tags(raw, sheet, one)["musicbrainz_artistid"] == ["1"]
    tags = part_tags(raw, sheet, two)
    assert tags["artist"] == ["Ben"]
    assert "musicbrainz_artistid" not in tags
    assert "artistsort" not in tags


def test_a_file_that_is_one_track_gets_the_title_that_it_lacks(tmp_path: Path) -> None:
    music(tmp_path, "01.flac", "02.flac")
    tagged = FLAC(tmp_path / "01.flac")
    tagged["title"] = "Own"
    tagged.save()
    (tmp_path / "x.cue").write_text('PERFORMER "Ann"\nTITLE "Disc"\n' + GAPS_IN_FILES)
    one, two = read_chunk(str(tmp_path), ["01.flac", "02.flac"]).files
    assert one.track_fields and two.track_fields
    assert (one.track_fields["title"], one.artists) == ("Own", ())
    assert (two.track_fields["title"], two.track_fields["track_number"]) == ("Two", 2)
    assert (two.artists[0].name, two.release.title) == ("Ann", "Disc")
