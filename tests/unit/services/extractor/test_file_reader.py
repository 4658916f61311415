"""Files of each format: their tags are read, and errors name the problem."""

import base64
import os
import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mutagen.asf._attrs import ASFByteArrayAttribute
from mutagen.flac import Picture
from mutagen.id3 import APIC, COMM, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TPOS, TRCK, TXXX, UFID, USLT
from mutagen.mp4 import MP4Cover, MP4FreeForm

from services.extractor.read.file_reader import UnreadableFile, read_file
from services.extractor.read.jobs import read_chunk
from services.extractor.tags.model import CreditedName, Lyrics, Numbered, Tags
from shared.contracts.errors import PipelineError

FORMATS = [".wav", ".aiff", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".wma", ".wv", ".tta"]
ID = "0b0f2c9e-7c1e-4f6b-9a53-6ed4a5d3a1b2"
MakeFile = Callable[[str], Path]
OpenTags = Callable[[Path], Any]


def tag_vorbis(file: Any, jpeg: bytes) -> None:
    file.tags.update(
        title="Jóga", artist="Björk feat. Tricky", album="Homogenic", albumartist="Björk",
        genre=["Trip Hop", "Electronic"], tracknumber="2", tracktotal="10", discnumber="1/2",
        date="1997-09-22", musicbrainz_trackid=ID, comment="live", unsyncedlyrics="la la",
        composer="Björk; Sjón",
    )  # fmt: skip
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", jpeg
    if hasattr(file, "add_picture"):
        file.add_picture(picture)
    else:
        file.tags["metadata_block_picture"] = base64.b64encode(picture.write()).decode()


def tag_id3(file: Any, jpeg: bytes) -> None:
    for frame in (
        TIT2(text="Jóga"), TPE1(text="Björk feat. Tricky"), TALB(text="Homogenic"),
        TPE2(text="Björk"), TCON(text=["Trip Hop", "Electronic"]), TRCK(text="2/10"),
        TPOS(text="1/2"), TDRC(text="1997-09-22"), COMM(lang="eng", desc="", text="live"),
        COMM(lang="eng", desc="iTunNORM", text="0000"), USLT(lang="eng", text="la la"),
        UFID(owner="http://musicbrainz.org", data=ID.encode()), APIC(type=3, data=jpeg),
        APIC(type=4, desc="back", data=jpeg + b"back"), TXXX(desc="COMPOSER", text="Björk; Sjón"),
    ):  # fmt: skip
        file.tags.add(frame)


def tag_mp4(file: Any, jpeg: bytes) -> None:
    file.tags.update({
        "\xa9nam": "Jóga", "\xa9ART": "Björk feat. Tricky", "\xa9alb": "Homogenic", "aART": "Björk",
        "\xa9gen": ["Trip Hop", "Electronic"], "trkn": [(2, 10)], "disk": [(1, 2)],
        "\xa9day": "1997-09-22", "\xa9cmt": "live", "\xa9lyr": "la la", "\xa9wrt": "Björk; Sjón",
        "----:com.apple.iTunes:MusicBrainz Track Id": MP4FreeForm(ID.encode()),
        "covr": [MP4Cover(jpeg)],
    })  # fmt: skip


def tag_ape(file: Any, jpeg: bytes) -> None:
    for name, value in {
        "Title": "Jóga", "Artist": "Björk feat. Tricky", "Album": "Homogenic",
        "Album Artist": "Björk", "Genre": ["Trip Hop", "Electronic"], "Track": "2/10",
        "Disc": "1/2", "Year": "1997-09-22", "MUSICBRAINZ_TRACKID": ID, "Comment": "live",
        "Lyrics": "la la", "Composer": "Björk; Sjón",
        "Cover Art (Front)": b"front.jpg\0" + jpeg,
    }.items():  # fmt: skip
        file.tags[name] = value


def tag_asf(file: Any, jpeg: bytes) -> None:
    utf16 = "image/jpeg\0\0".encode("utf-16-le")
    file.tags.update({
        "Title": "Jóga", "Author": "Björk feat. Tricky", "WM/AlbumTitle": "Homogenic",
        "WM/AlbumArtist": "Björk", "WM/Genre": ["Trip Hop", "Electronic"], "WM/TrackNumber": "2/10",
        "WM/PartOfSet": "1/2", "WM/Year": "1997-09-22", "MusicBrainz/Track Id": ID,
        "Description": "live", "WM/Lyrics": "la la", "WM/Composer": "Björk; Sjón",
        "WM/Picture": ASFByteArrayAttribute(

            struct.pack("<BI", 3, len(jpeg)) + utf16 + jpeg
        ),
    })  # fmt: skip


_TAGGING = {
    ".flac": tag_vorbis, ".ogg": tag_vorbis, ".opus": tag_vorbis, ".mp3": tag_id3, ".wav": tag_id3,
    ".aiff": tag_id3, ".tta": tag_id3, ".m4a": tag_mp4, ".wv": tag_ape, ".wma": tag_asf,
}  # fmt: skip


def read(path: Path) -> Tags:
    return read_file(os.fsencode(path)).tags


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_tags_are_read_from_every_format(
    suffix: str, make_file: MakeFile, open_tags: OpenTags, jpeg: bytes
) -> None:
    path = make_file(f"a{suffix}")
    file = open_tags(path)
    _TAGGING[suffix](file, jpeg)
    file.save()
    result = read_file(os.fsencode(path))
    tags = result.tags
    assert (tags.title, tags.title_is_file_name) == ("Jóga", False)
    assert tags.artists == (CreditedName("Björk", " feat. "), CreditedName("Tricky"))
    assert tags.artist_credit == "Björk feat. Tricky"
    assert (tags.release.title, tags.release.artist_credit) == ("Homogenic", "Björk")
    assert tags.genres == ("Trip Hop", "Electronic")
    assert (tags.track, tags.disc) == (Numbered(2, 10), Numbered(1, 2))
    assert (tags.release_date, tags.comment, tags.lyrics) == ("1997-09-22", "live", Lyrics("la la"))
    assert tags.musicbrainz_recording_id == ID
    assert [(one.role, one.name.name) for one in tags.contributors] == [
        ("composer", "Björk"),
        ("composer", "Sjón"),
    ]
    assert result.cover is not None
    assert result.cover.content == jpeg
    assert result.size_bytes == path.stat().st_size


@pytest.mark.parametrize("suffix", FORMATS)
def test_audio_properties_are_read(suffix: str, make_file: MakeFile) -> None:
    audio = read(make_file(f"a{suffix}")).audio
    assert audio.duration_s == pytest.approx(1.0, abs=0.1)
    assert audio.bitrate_bps
    assert audio.sample_rate_hz in {44_100, 48_000}


def test_a_file_with_the_suffix_of_another_format_is_read_by_its_content(
    make_file: MakeFile,
) -> None:
    path = make_file("a.flac")
    assert read(path.rename(path.with_suffix(".mp3"))).audio.codec == "flac"


def test_absurd_tags_are_normalised(make_file: MakeFile, open_tags: OpenTags) -> None:
    path = make_file("a.flac")
    file = open_tags(path)
    file.tags.update(
        title="x" * 1_000_000, artist="A\0B", date="99999", tracknumber="3/foo", bpm="-5",
        discnumber="9" * 50, replaygain_track_gain="loud", musicbrainz_trackid="no id",
    )  # fmt: skip
    file.save()
    tags = read(path)
    assert tags.title == "x" * 1_000
    assert [name.name for name in tags.artists] == ["A", "B"]
    assert (tags.release_date, tags.bpm, tags.musicbrainz_recording_id) == (None, None, None)
    assert (tags.track, tags.disc) == (Numbered(3), Numbered())


def test_a_tag_block_of_50_mb_is_read(make_file: MakeFile, open_tags: OpenTags) -> None:
    path = make_file("a.mp3")
    file = open_tags(path)
    file.tags.add(TIT2(text="Jóga"))
    file.tags.add(APIC(type=3, data=b"\xff\xd8\xff" + bytes(50_000_000)))
    file.save()
    result = read_file(os.fsencode(path))
    assert (result.tags.title, result.cover) == ("Jóga", None)


def _hostile(folder: Path) -> Iterator[tuple[str, str]]:
    (folder / "empty.flac").write_bytes(b"")
    yield "empty.flac", "is empty"
    (folder / "text.mp3").write_text("Dear diary, " * 500)
    yield "text.mp3", "is no MP3 file: no MPEG frame was found in it"
    (folder / "text.flac").write_text("Dear diary, " * 500)
    yield "text.flac", "is no FLAC file, or damaged"
    os.mkfifo(folder / "pipe.flac")
    yield "pipe.flac", "is a FIFO, not a regular file"
    (folder / "null.mp3").symlink_to("/dev/null")
    yield "null.mp3", "is a character device, not a regular file"
    (folder / "nowhere.mp3").symlink_to(folder / "gone.mp3")
    yield "nowhere.mp3", "is a link to a file that does not exist"
    (folder / "loop.mp3").symlink_to(folder / "loop.mp3")
    yield "loop.mp3", "cannot be read: Too many levels of symbolic links"
    (folder / "folder.mp3").mkdir()
    yield "folder.mp3", "is a folder, not a regular file"
    yield "vanished.mp3", "vanished before it could be read"


_WORDS = re.compile(
    r"is (?:no|a damaged) [A-Z0-9]+ file(?:, or damaged)?: [\w ,()`-]+|is empty"
    r"|has tags that need more memory than a reader may use"
)
"""No quotes, brackets, paths, numbers of errors, or names of Python."""


def test_messages_about_broken_files_are_plain_words(
    tones: dict[str, bytes], tmp_path: Path
) -> None:
    chance = random.Random(16)
    seen: set[str] = set()
    for suffix, tone in tones.items():
        name = f"it's a “file”{suffix}"
        broken = [tone[:size] for size in (1, 4, 12, 40, 100, len(tone) // 2)]
        broken += [bytes(5_000), b"<html>" * 900, b"\xff" * 6_000, chance.randbytes(6_000)]
        broken += [tone[:40] + bytes(8_000), tone[:4] + b"\xff" * 4 + tone[8:]]
        for _ in range(40):
            changed = bytearray(tone[:20_000])
            for _ in range(chance.choice((1, 3, 20))):
                place = chance.randrange(min(len(changed), chance.choice((40, 300))))
                changed[place] = chance.randrange(256)
            broken.append(bytes(changed))
        for content in broken:
            (tmp_path / name).write_bytes(content)
            (read,) = read_chunk(str(tmp_path), [name]).files
            if read.error is not None:
                seen.add(str(read.error))
                assert isinstance(read.error, UnreadableFile)
    assert len(seen) > 20
    assert {message for message in seen if _WORDS.fullmatch(message) is None} == set()
    assert "is a damaged M4A file: its index (`moov`) is missing, as if it was cut off" in seen


def test_a_reader_process_loads_neither_the_network_nor_pydantic() -> None:
    code = "import sys, services.extractor.read.jobs; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    assert not {"httpx", "pydantic", "shared.bus", "shared.runtime"} & set(loaded)


def test_an_unreadable_file_has_a_readable_error(tmp_path: Path, make_file: MakeFile) -> None:
    expected = dict(_hostile(tmp_path))
    make_file("good.flac")
    chunk = read_chunk(str(tmp_path), [*expected, "good.flac"])
    errors = {file.path: file.error for file in chunk.files}
    assert errors.pop("good.flac") is None
    for path, message in expected.items():
        assert isinstance(errors[path], UnreadableFile)
        assert str(errors[path]).startswith(message), path


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_files_are_read_or_refused(
    suffix: str, make_file: MakeFile, open_tags: OpenTags, jpeg: bytes
) -> None:
    path = make_file(f"a{suffix}")
    file = open_tags(path)
    _TAGGING[suffix](file, jpeg)
    file.save()
    whole = path.read_bytes()
    chance = random.Random(suffix)
    for _ in range(60):
        damaged = bytearray(whole[: chance.randrange(1, len(whole))])
        for _ in range(chance.choice([0, 1, 20])):
            damaged[chance.randrange(min(len(damaged), 2_000))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            tags = read(path)
        except PipelineError as error:
            assert isinstance(error, UnreadableFile), error
            assert str(error)
        else:
            assert tags.audio.duration_s >= 0
