"""Collections of rekordbox and Traktor: tracks, cues, grids, and where the files are."""

from io import BytesIO

import pytest

from shared.contracts.keys import parse_key
from shared.contracts.tags import MOST_CUES
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput
from soniquebay.dj_collections import rekordbox, traktor
from soniquebay.dj_collections.elements import InvalidCollection, elements
from soniquebay.dj_collections.locations import (
    below,
    common_folder,
    first_below,
    normal_path,
    path_of_parts,
    path_of_url,
)
from tests import dj_software as dj

_REKORDBOX_INNER = (
    '<TEMPO Inizio="0.025" Bpm="127.50" Metro="4/4" Battito="2"/>'
    '<TEMPO Inizio="60.1" Bpm="64.00" Metro="4/4" Battito="1"/>'
    '<POSITION_MARK Name="Drop" Type="0" Start="1.500" End="1.500" Num="0" '
    'Red="40" Green="226" Blue="20"/>'
    '<POSITION_MARK Name="" Type="0" Start="0.5" Num="-1"/>'
    '<POSITION_MARK Name="L" Type="4" Start="2.000" End="4.000" Num="3"/>'
    '<POSITION_MARK Name="" Type="9" Start="2.000" Num="3"/>'
)
_TRAKTOR_INNER = (
    '<INFO KEY="8m" RANKING="204" PLAYCOUNT="7" PLAYTIME="200"></INFO>'
    '<TEMPO BPM="127.500000" BPM_QUALITY="100.000000"></TEMPO>'
    '<MUSICAL_KEY VALUE="21"></MUSICAL_KEY>'
    '<CUE_V2 NAME="AutoGrid" TYPE="4" START="52.5" LEN="0.0" REPEATS="-1" HOTCUE="0">'
    '<GRID BPM="127.500000"></GRID></CUE_V2>'
    '<CUE_V2 NAME="n.n." TYPE="0" START="310.000000" LEN="0.000000" HOTCUE="1"></CUE_V2>'
    '<CUE_V2 NAME="Loop" TYPE="5" START="15692.87083" LEN="3840.003047" HOTCUE="-1"></CUE_V2>'
    '<CUE_V2 NAME="In" TYPE="1" START="4172.861689" LEN="0.000000" HOTCUE="-1"></CUE_V2>'
)


def tracks(content: bytes) -> list[rekordbox.CollectionTrack]:
    programs = {rekordbox.ROOT: rekordbox.track, traktor.ROOT: traktor.track}
    found = (programs[root](element) for root, element in elements(BytesIO(content)))
    return [each for each in found if each is not None]


def test_rekordboxs_tracks_have_cues_grid_key_and_tempo() -> None:
    written = dj.rekordbox_track(
        "file://localhost/Users/ann/Music/a%26b%20%C3%A9.mp3", _REKORDBOX_INNER,
        AverageBpm="127.50", Tonality="8A", Rating="204", PlayCount="3",
    )  # fmt: skip
    assert tracks(dj.rekordbox_xml(written, dj.rekordbox_track(""))) == [
        (
            ("/Users/ann/Music/a&b é.mp3",),
            ImportedFactInput(
                source="rekordbox", rating=80, play_count=3, key="8A", tempo_bpm=127.5,
                cues=[
                    CueInput(kind="MEMORY_CUE", start_s=0.5),
                    CueInput(kind="CUE", start_s=1.5, index=0, name="Drop", color="#28e214"),
                    CueInput(kind="LOOP", start_s=2, end_s=4, index=3, name="L"),
                ],
                beat_grid=[
                    BeatGridMarkerInput(start_s=0.025, tempo_bpm=127.5, beat_in_bar=2),
                    BeatGridMarkerInput(start_s=60.1, tempo_bpm=64, beat_in_bar=1),
                ],
            ),
        )
    ]  # fmt: skip


def test_traktors_entries_have_cues_grid_key_and_tempo() -> None:
    written = dj.traktor_entry("/:Users/:ann/:Music/:", "a &amp; b.mp3", _TRAKTOR_INNER)
    assert tracks(dj.traktor_nml(written)) == [
        (
            ("/Users/ann/Music/a & b.mp3", "/Volumes/Macintosh HD/Users/ann/Music/a & b.mp3"),
            ImportedFactInput(
                source="traktor", rating=80, play_count=7, key="8m", tempo_bpm=127.5,
                cues=[
                    CueInput(kind="CUE", start_s=0.31, index=1),
                    CueInput(kind="FADE_IN", start_s=4.172862, name="In"),
                    CueInput(kind="LOOP", start_s=15.692871, end_s=19.532874, name="Loop"),
                ],
                beat_grid=[BeatGridMarkerInput(start_s=0.0525, tempo_bpm=127.5)],
            ),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "key"), [(0, ("C", "major")), (11, ("B", "major")), (21, ("A", "minor")), (24, None)]
)
def test_traktors_measured_key_is_a_number(value: int, key: tuple[str, str] | None) -> None:
    entry = dj.traktor_entry("/:m/:", "a.mp3", f'<MUSICAL_KEY VALUE="{value}"></MUSICAL_KEY>')
    (found,) = tracks(dj.traktor_nml(entry))
    assert (parse_key(found.fact.key) if found.fact.key else None) == key


@pytest.mark.parametrize("text", ["", "loud", "nan", "inf", "1e999", "-5", "999999999999999"])
def test_values_that_are_none_are_left_out(text: str) -> None:
    inner = f'<TEMPO Inizio="{text}" Bpm="{text}" Battito="{text}"/>'
    written = dj.rekordbox_track("file://localhost/a.mp3", inner, AverageBpm=text, Rating=text,
                                 PlayCount=text if text == "loud" else "")  # fmt: skip
    (found,) = tracks(dj.rekordbox_xml(written))
    assert found.fact == ImportedFactInput(source="rekordbox")


def test_too_many_cues_are_named() -> None:
    inner = '<POSITION_MARK Type="0" Start="1.0" Num="0"/>' * (MOST_CUES + 1)
    (found,) = tracks(dj.rekordbox_xml(dj.rekordbox_track("file://localhost/a.mp3", inner)))
    assert len(found.fact.cues or ()) == MOST_CUES
    assert found.fact.problem == "more than 256 cues: the others are left out"


_BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
<DJ_PLAYLISTS><COLLECTION><TRACK Location="&b;"/></COLLECTION></DJ_PLAYLISTS>"""


@pytest.mark.parametrize(
    ("content", "message"),
    [(_BOMB, "DOCTYPE"), (b"no xml", "no XML"), (b"", "no XML"), (dj.rekordbox_xml()[:-9], "cut")],
)
def test_what_is_no_collection_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidCollection, match=message):
        tracks(content)


def test_a_long_collection_is_read_as_a_stream() -> None:
    class Endless(BytesIO):
        """Never ends, and cannot be read at once."""

        def __init__(self) -> None:
            super().__init__()
            self.started = False

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size > 0
            head = b"" if self.started else dj.rekordbox_xml().partition(b"</COLLECTION>")[0]
            self.started = True
            return head + dj.rekordbox_track("file://localhost/a.mp3").encode() * 100

    stream = elements(Endless())
    assert [next(stream)[1].name for _ in range(5_000)] == ["TRACK"] * 5_000


# Locations


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file://localhost/Users/a/b.mp3", "/Users/a/b.mp3"),
        ("file://localhost//music/b.mp3", "/music/b.mp3"),
        ("file://localhost/C:/Users/a/b.mp3", "C:/Users/a/b.mp3"),
        ("file:///music/b.mp3", "/music/b.mp3"),
        ("FILE://LOCALHOST/music/b.mp3", "/music/b.mp3"),
        ("file://localhost/m/%C3%A9%20%5B1%5D%2B%3B%27%26.mp3", "/m/é [1]+;'&.mp3"),
        ("file://localhost/m/100%25.mp3", "/m/100%.mp3"),
        ("file://localhost/m/%E9.mp3", "/m/\uf7e9.mp3"),
    ],
)
def test_locations_of_rekordbox_are_urls(url: str, path: str) -> None:
    assert path_of_url(url) == path


@pytest.mark.parametrize(
    ("volume", "folder", "paths"),
    [
        ("C:", "/:Users/:a/:", ("C:/Users/a/b.mp3",)),
        ("Macintosh HD", "/:Users/:a/:", ("/Users/a/b.mp3", "/Volumes/Macintosh HD/Users/a/b.mp3")),
        ("USB", "/:", ("/b.mp3", "/Volumes/USB/b.mp3")),
        ("", "/:srv/:", ("/srv/b.mp3",)),
    ],
)
def test_locations_of_traktor_have_volumes(
    volume: str, folder: str, paths: tuple[str, ...]
) -> None:
    assert path_of_parts(volume, folder, "b.mp3") == paths


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("/music", "/music/a/b.mp3", "a/b.mp3"),
        ("/music/", "/music/b.mp3", "b.mp3"),
        ("/music", "/music2/b.mp3", None),
        ("/music", "/music", None),
        ("/Music", "/music/b.mp3", None),
        ("C:\\Users\\Ann\\Music", "C:/Users/Ann/Music/b.mp3", "b.mp3"),
        ("c:/users/ann/music", "C:/Users/Ann/Music/B.mp3", "B.mp3"),
        ("C:", "C:/b.mp3", "b.mp3"),
        ("/", "/b.mp3", "b.mp3"),
    ],
)
def test_paths_below_a_folder(folder: str, path: str, expected: str | None) -> None:
    assert below(folder, path) == expected


def test_the_innermost_folder_counts_and_any_of_the_paths() -> None:
    assert first_below(["/m", "/m/dj"], ["/m/dj/a.mp3"]) == (1, "a.mp3")
    assert first_below(["/Volumes/USB"], ["/a.mp3", "/Volumes/USB/a.mp3"]) == (0, "a.mp3")
    assert first_below(["/m"], ["/n/a.mp3"]) is None
    assert normal_path("/C:\\Music//a") == "C:/Music/a"


def test_the_common_folder_of_files() -> None:
    assert common_folder(["/m/a/1.mp3", "/m/b/2.mp3"]) == "/m"
    assert common_folder(["C:/m/1.mp3", "C:/m/2.mp3"]) == "C:/m"
    assert common_folder(["/m/1.mp3", "spotify:track:1"]) == ""
    assert common_folder([]) == ""
