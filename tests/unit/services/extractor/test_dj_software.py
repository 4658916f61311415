"""DJ software's data: each program, in each container, in the variants that programs write."""

import base64
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.apev2 import APEv2
from mutagen.id3 import COMM, GEOB, ID3, PRIV, TKEY, TXXX
from mutagen.mp4 import MP4FreeForm

from services.extractor.read.file_reader import read_file
from services.extractor.tags.dj_software.traktor import decode_base91
from services.extractor.tags.imported_facts import imported_facts
from services.extractor.tags.model import Tags
from services.extractor.tags.raw_tags import OBJECT
from shared.contracts.tags import MOST_CUES, MOST_GRID_MARKERS
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput
from tests import dj_software as dj

MakeFile = Callable[[str], Path]
WRITTEN_BY_ENCODERS = {"encodedby", "encoder", "encodersettings"}
RED, BLUE = "#c02626", "#27aae1"
MARKERS = dj.markers2(
    dj.entry(b"COLOR", b"\0\xff\xff\xff"), dj.cue(0, 1_500, "Drop"), dj.loop(3, 8_000, 12_000, "é"),
    dj.entry(b"BPMLOCK", b"\1"), dj.cue(1, 500),
)  # fmt: skip
EMPTY_CUES = b"PEUC" + struct.pack("<3I", 4, 0, 0)
CUES = [
    CueInput(kind="CUE", start_s=0.5, index=1, color=RED),
    CueInput(kind="CUE", start_s=1.5, index=0, name="Drop", color=RED),
    CueInput(kind="LOOP", start_s=8, end_s=12, index=3, name="é", color=BLUE),
]
GRID = dj.beat_grid([(0.25, 8), (4.25, 16)], (12.25, 127.5))
BEATS = [
    BeatGridMarkerInput(start_s=0.25, tempo_bpm=120, beats=8),
    BeatGridMarkerInput(start_s=4.25, tempo_bpm=120, beats=16),
    BeatGridMarkerInput(start_s=12.25, tempo_bpm=127.5),
]
SERATO = ImportedFactInput(
    source="serato", tempo_bpm=127.53, gain_db=-3.257, cues=CUES, beat_grid=BEATS
)
TREE = dj.traktor_tree(
    [
        dj.traktor_cue("AutoGrid", 4, 250, 0, -1), dj.traktor_cue("Drop", 0, 1_500, 0, 0),
        dj.traktor_cue("n.n.", 5, 8_000, 4_000, 2), dj.traktor_cue("In", 1, 20_000.5, 0, -1),
        dj.traktor_cue("Out", 2, 30_000, 0, -1), dj.traktor_cue("Load", 3, 100, 0, -1),
    ],
    tempo_bpm=127.5, key="8m",
)  # fmt: skip
TRAKTOR = ImportedFactInput(
    source="traktor",
    key="8m",
    tempo_bpm=127.5,
    beat_grid=[BeatGridMarkerInput(start_s=0.25, tempo_bpm=127.5)],
    cues=[
        CueInput(kind="LOAD", start_s=0.1, name="Load"),
        CueInput(kind="CUE", start_s=1.5, index=0, name="Drop"),
        CueInput(kind="LOOP", start_s=8, end_s=12, index=2),
        CueInput(kind="FADE_IN", start_s=20.0005, name="In"),
        CueInput(kind="FADE_OUT", start_s=30, name="Out"),
    ],
)
MIXED_IN_KEY = ImportedFactInput(
    source="mixed in key",
    energy=7,
    key="8A",
    cues=[
        CueInput(kind="CUE", start_s=0.156458, name="Energy 6"),
        CueInput(kind="CUE", start_s=61.108946, name="Energy 7"),
    ],
    tempo_bpm=120,
    beat_grid=[
        BeatGridMarkerInput(start_s=0.5, tempo_bpm=120, beats=8),
        BeatGridMarkerInput(start_s=4.5, tempo_bpm=150),
    ],
)
MIXED_IN_KEY_TAGS = {
    "Key": dj.mixed_in_key(key="8A"),
    "Energy": dj.mixed_in_key(energyLevel=7),
    "CuePoints": dj.mixed_in_key(
        cues=[
            {"name": "Energy 6", "time": 156.45815233710408},
            {"name": "Energy 7", "time": 61108.946135565486},
        ]
    ),
    "BeatGrid": dj.mixed_in_key(
        tempo=120,
        beats=[0.5 + beat / 2 for beat in range(8)] + [4.5 + beat * 0.4 for beat in range(9)],
    ),
}


def read(path: Path) -> Tags:
    return read_file(os.fsencode(path)).tags


def object_frame(description: str, content: bytes, encoding: int = 0) -> Any:
    return GEOB(
        encoding=encoding, mime="application/octet-stream", filename="", desc=description,
        data=content,
    )  # fmt: skip


def write_id3(path: Path, *frames: Any, version: int = 4) -> None:
    if path.suffix == ".mp3":
        tags: Any = ID3()
        for frame in frames:
            tags.add(frame)
        tags.save(path, v2_version=version)
    else:
        file: Any = mutagen.File(path)
        file.add_tags()
        for frame in frames:
            file.tags.add(frame)
        file.save(v2_version=version)


def write_texts(path: Path, **texts: str) -> None:
    """Text tags of these names, in Serato's place of the container."""
    if path.suffix in {".wv", ".ape"}:
        ape = APEv2()
        ape.update(texts)
        ape.save(path)
        return
    file: Any = mutagen.File(path)
    if path.suffix == ".m4a":
        owner = "com.serato.dj" if "markersv2" in texts else "com.mixedinkey.mixedinkey"
        file.update(
            {f"----:{owner}:{name}": MP4FreeForm(text.encode()) for name, text in texts.items()}
        )
    else:
        file.update(texts)
    file.save()


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("suffix", [".mp3", ".aiff", ".wav"])
def test_id3_has_the_data_in_frames_of_objects(
    suffix: str, version: int, make_file: MakeFile
) -> None:
    path = make_file(f"a{suffix}")
    write_id3(
        path, object_frame("Serato Markers2", MARKERS), object_frame("Serato BeatGrid", GRID),
        object_frame("Serato Autotags", dj.autotags()), PRIV(owner="TRAKTOR4", data=TREE),
        object_frame("Serato Overview", bytes(3_842)), PRIV(owner="other", data=b"x"),
        *(object_frame(name, text.encode()) for name, text in MIXED_IN_KEY_TAGS.items()),
        TKEY(text="Am"), version=version,
    )  # fmt: skip
    tags = read(path)
    assert tags.imported == (MIXED_IN_KEY, SERATO, TRAKTOR)
    assert (tags.key, tags.others) == ("Am", {})


def test_a_description_may_be_in_utf16(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    write_id3(path, object_frame("Serato Markers2", MARKERS, encoding=1))
    assert read(path).imported[0].cues == CUES


@pytest.mark.parametrize("padding", ["=", "", "A"])
@pytest.mark.parametrize("width", [72, 10_000])
@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".m4a", ".wv", ".wma"])
def test_other_containers_have_it_as_text(
    suffix: str, width: int, padding: str, make_file: MakeFile
) -> None:
    path = make_file(f"a{suffix}")
    names = ("markersv2", "beatgrid", "autgain") if suffix == ".m4a" else (
        "serato_markers_v2", "serato_beatgrid", "serato_autogain",
    )  # fmt: skip
    contents = {"Markers2": MARKERS, "BeatGrid": GRID, "Autotags": dj.autotags()}
    texts = (dj.envelope(*each, width, padding) for each in contents.items())
    write_texts(path, **dict(zip(names, texts, strict=True)))
    tags = read(path)
    assert tags.imported == (SERATO,)
    assert tags.others.keys() <= WRITTEN_BY_ENCODERS


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".m4a", ".wv"])
def test_mixed_in_keys_tags_are_text_in_other_containers(suffix: str, make_file: MakeFile) -> None:
    path = make_file(f"a{suffix}")
    write_texts(path, **{name.lower(): text for name, text in MIXED_IN_KEY_TAGS.items()})
    tags = read(path)
    assert tags.imported == (MIXED_IN_KEY,)
    assert tags.key == "8A"
    assert tags.others.keys() <= WRITTEN_BY_ENCODERS


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_traktors_tree_is_base91_in_a_comment(suffix: str, make_file: MakeFile) -> None:
    path = make_file(f"a{suffix}")
    write_texts(path, TRAKTOR4=dj.base91(TREE + bytes(40)))
    tags = read(path)
    assert tags.imported == (TRAKTOR,)
    assert tags.others.keys() <= WRITTEN_BY_ENCODERS


def test_base91_is_that_of_its_author() -> None:
    assert decode_base91("fPNKd") == b"test"
    assert decode_base91(">OwJh>Io0T\nv!8PE") == b"Hello World!"


@given(st.binary(max_size=300))
def test_base91_goes_both_ways(content: bytes) -> None:
    assert decode_base91(dj.base91(content)) == content


# Variants of Serato's tags


def markers_fact(content: bytes) -> ImportedFactInput | None:
    return fact_of("serato markers2", content)


def fact_of(name: str, content: bytes) -> ImportedFactInput | None:
    """The one fact of an object, or None."""
    raw = {OBJECT + name: [content.decode("latin-1")]}
    return next(iter(imported_facts(raw, raw)), None)


@pytest.mark.parametrize("width", [72, 76, 100_000])
@pytest.mark.parametrize("padding", ["=", "", "A"])
@pytest.mark.parametrize("end", [b"", b"\0", bytes(470)])
@pytest.mark.parametrize("last", [b"", b"\0"])
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_markers_of_every_width_padding_and_end_are_read(
    width: int, padding: str, end: bytes, last: bytes, length: int
) -> None:
    name = "n" * length
    blob = dj.markers2(dj.cue(0, 1_500, name), last, width=width, padding=padding, end=end)
    assert markers_fact(blob) == ImportedFactInput(
        source="serato",
        cues=[CueInput(kind="CUE", start_s=1.5, index=0, name=name or None, color=RED)],
    )


@pytest.mark.parametrize("rgb", ["c02626", "ffffff", "000000", "cc0000", "123456"])
def test_cues_have_any_color(rgb: str) -> None:
    fact = markers_fact(dj.markers2(dj.cue(0, 1, rgb=bytes.fromhex(rgb)), dj.cue(1, 2)))
    assert fact is not None
    assert [each.color for each in fact.cues or ()] == [f"#{rgb}", RED]


@pytest.mark.parametrize("unused", [b"\xff" * 4, bytes(4)])
def test_a_loop_without_its_constant_ends_nothing(unused: bytes) -> None:
    fact = markers_fact(dj.markers2(dj.loop(0, 1_000, 2_000, "L", unused), dj.cue(0, 3_000)))
    assert fact is not None
    assert [(each.kind, each.start_s, each.name) for each in fact.cues or ()] == [
        ("LOOP", 1, "L"), ("CUE", 3, None),
    ]  # fmt: skip


def test_unknown_entries_and_times_are_passed_over() -> None:
    flip, short = dj.entry(b"FLIP", b"\0\0\1x\0"), dj.entry(b"CUE", b"\0\0")
    backwards = dj.loop(0, 2_000, 1_000)
    fact = markers_fact(dj.markers2(flip, short, backwards, dj.cue(0, 5)))
    assert fact is not None
    assert [each.start_s for each in fact.cues or ()] == [0.005]
    assert fact.problem == "a cue in Serato's markers2 is too short"


def test_what_is_cut_off_leaves_what_is_before_it() -> None:
    entries = b"\1\1" + dj.cue(0, 1_000) + dj.cue(1, 2_000)
    fact = markers_fact(b"\1\1" + base64.b64encode(entries[:-9]))
    assert fact is not None
    assert [each.start_s for each in fact.cues or ()] == [1]
    assert fact.problem == "Serato's markers2 is cut off"


def test_tags_of_a_track_that_was_not_analysed_say_nothing() -> None:
    assert fact_of("serato autotags", dj.autotags("", "")) is None
    assert fact_of("serato autotags", dj.autotags("0.00", "")) is None
    assert fact_of("serato beatgrid", b"\1\0" + bytes(5)) is None
    assert markers_fact(dj.markers2()) is None
    assert markers_fact(b"\1\1" + bytes(468)) is None
    assert fact_of("traktor4", dj.traktor_tree([])) is None


def test_a_name_is_clean_and_of_limited_length() -> None:
    fact = markers_fact(dj.markers2(dj.cue(0, 1, "a\nb\u2028" + "c" * 1_000)))
    assert fact is not None
    (found,) = fact.cues or ()
    assert found.name is not None
    assert found.name.startswith("a b c")
    assert len(found.name) == 200


def test_too_many_cues_and_markers_are_named() -> None:
    fact = markers_fact(dj.markers2(*(dj.cue(0, ms) for ms in range(MOST_CUES + 9))))
    assert fact is not None
    assert len(fact.cues or ()) == MOST_CUES
    assert fact.problem == "more than 256 cues: the others are left out"
    grid = dj.beat_grid([(beat, 1) for beat in range(MOST_GRID_MARKERS + 9)], (1e6, 120))
    fact = fact_of("serato beatgrid", grid)
    assert fact is not None
    assert len(fact.beat_grid or ()) == MOST_GRID_MARKERS
    assert fact.problem == "more than 2,000 markers in the grid: the others are left out"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("serato markers2", b""),
        ("serato markers2", b"\2\5" + bytes(90)),
        ("serato markers2", b"\1\1" + b"\xff\xfe" * 30),
        ("serato markers2", b"\1\1****"),
        ("serato beatgrid", b""),
        ("serato beatgrid", b"\1\0\xff\xff\xff\xff" + bytes(80)),
        ("serato beatgrid", dj.beat_grid([(2, 4)], (1, 120))),
        ("serato beatgrid", dj.beat_grid([], (1, 0))),
        ("serato beatgrid", dj.beat_grid([], (float("nan"), 120))),
        ("serato beatgrid", dj.beat_grid([], (float("inf"), 120))),
        ("serato beatgrid", dj.beat_grid([], (1, float("nan")))),
        ("serato autotags", b"\1\1fast\0"),
        ("traktor4", b""),
        ("traktor4", TREE[:-70]),
        ("traktor4", b"DMRT" + struct.pack("<2I", 8, 0xFFFFFFFF)),
        ("traktor4", dj.traktor_tree([]).replace(EMPTY_CUES, EMPTY_CUES[:-4] + b"\xff" * 4)),
        ("cuepoints", b"eyJ!"),
        ("cuepoints", base64.b64encode(b'{"cues":[')),
        ("cuepoints", base64.b64encode(b'{"a":' + b"[" * 30_000)),
        ("beatgrid", base64.b64encode(b'{"beats":[1e308,-1e308,NaN]}')),
    ],
)  # fmt: skip
def test_damaged_data_is_a_problem_and_no_failure(name: str, content: bytes) -> None:
    fact = fact_of(name, content)
    assert fact is not None
    assert (fact.problem or "").endswith("cannot be read")
    assert not fact.cues
    assert not fact.beat_grid


def test_a_huge_list_of_beats_is_capped() -> None:
    beats = [beat * (0.4 + beat % 2 / 10) for beat in range(50_000)]
    fact = fact_of("beatgrid", dj.mixed_in_key(tempo=120, beats=beats).encode())
    assert fact is not None
    assert len(fact.beat_grid or ()) <= MOST_GRID_MARKERS


@pytest.mark.parametrize("jitter_s", [0, 0.002])
def test_beats_beside_a_steady_grid_are_one_marker(jitter_s: float) -> None:
    beats = [0.3 + beat * 60 / 126 + (jitter_s if beat % 3 else 0) for beat in range(700)]
    fact = fact_of("beatgrid", dj.mixed_in_key(tempo=126, beats=beats).encode())
    assert fact is not None
    (marker,) = fact.beat_grid or ()
    assert marker.start_s == 0.3
    assert marker.tempo_bpm == pytest.approx(126, abs=0.002)


@given(name=st.sampled_from(["markers2", "beatgrid", "autotags"]), content=st.binary(max_size=200))
def test_any_bytes_are_read_or_named(name: str, content: bytes) -> None:
    heads = {"markers2": b"\1\1", "beatgrid": b"\1\0", "autotags": b"\1\1"}
    for whole in (content, heads[name] + content):
        fact = fact_of(f"serato {name}", whole)
        assert fact is None or fact.source == "serato"


@given(st.binary(max_size=60), st.integers(0, len(TREE)))
def test_any_damage_of_a_tree_is_read_or_named(content: bytes, at: int) -> None:
    fact = fact_of("traktor4", TREE[:at] + content + TREE[at + len(content) :])
    assert fact is None or fact.source == "traktor"


# Energy


@pytest.mark.parametrize(
    ("name", "text", "source", "energy"),
    [
        ("energylevel", "7", "mixed in key", 7),
        ("energylevel", "10", "mixed in key", 10),
        ("energylevel", "11", None, None),
        ("energylevel", "0", None, None),
        ("energylevel", "high", None, None),
        ("energy", "7", "tags", 7),
        ("energy", "0.73", None, None),
        ("comment", "8A - Energy 7", "mixed in key", 7),
        ("comment", "Energy 10", "mixed in key", 10),
        ("comment", "F#m - Energy 3", "mixed in key", 3),
        ("comment", "8A - 126.0 - Energy 7", "mixed in key", 7),
        ("comment", "8A - Energy 7 - bought in May", "mixed in key", 7),
        ("comment", "Full of Energy 7", None, None),
        ("comment", "Energy 77", None, None),
        ("comment", "8A", None, None),
    ],
)
def test_energy_is_read_where_it_is_one(
    name: str, text: str, source: str | None, energy: int | None, make_file: MakeFile
) -> None:
    expected = (ImportedFactInput(source=source, energy=energy),) if source else ()
    path = make_file("a.flac")
    write_texts(path, **{name: text})
    tags = read(path)
    assert tags.imported == expected
    assert tags.others == ({} if source or name == "comment" else {name: [text]})
    path = make_file("a.mp3")
    frame = COMM(lang="eng", text=text) if name == "comment" else TXXX(desc=name, text=text)
    write_id3(path, frame)
    assert read(path).imported == expected


def test_facts_of_all_programs_stand_beside_ratings(make_file: MakeFile) -> None:
    path = make_file("a.flac")
    write_texts(path, serato_autotags=dj.envelope("Autotags", dj.autotags()), rating="4",
                energy=dj.mixed_in_key(energyLevel=7))  # fmt: skip
    assert read(path).imported == (
        ImportedFactInput(source="mixed in key", energy=7),
        ImportedFactInput(source="serato", tempo_bpm=127.53, gain_db=-3.257),
        ImportedFactInput(source="tags", rating=80),
    )


@pytest.mark.parametrize("name", ["serato_overview", "serato_analysis", "markers"])
def test_other_tags_of_serato_are_no_facts_and_no_text(name: str, make_file: MakeFile) -> None:
    path = make_file("a.flac")
    write_texts(path, **{name: dj.envelope("Overview", bytes(3_842))})
    assert (read(path).imported, read(path).others) == ((), {})


def test_text_of_a_person_under_such_a_name_stays(make_file: MakeFile) -> None:
    path = make_file("a.flac")
    write_texts(path, cuepoints="at the second chorus", beatgrid="4/4", energy=json.dumps({"a": 1}))
    tags = read(path)
    assert tags.imported == ()
    assert tags.others == {
        "cuepoints": ["at the second chorus"], "beatgrid": ["4/4"], "energy": ['{"a": 1}'],
    }  # fmt: skip
