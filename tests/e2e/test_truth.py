"""The demo library: every field is filled, and the analyses are correct."""

from pathlib import Path

import pytest

from soniquebay.demo import DEMO_TRACKS
from tests.e2e.completeness import as_analysis, check_complete
from tests.e2e.running import Bay

OCTAVES = (0.5, 2, 1 / 3, 3, 2 / 3, 1.5)


def test_the_analyses_of_the_demo_library_are_correct(bay: Bay, demo_music: Path) -> None:
    with bay.serving("--music", str(demo_music)):
        bay.wait_until_idle()
        tracks = check_complete(bay, len(DEMO_TRACKS))
        similar = bay.json("similar", "Night Ferry")
        assert {"id", "title", "artists", "album", "path", "score"} <= set(similar[0])
        assert similar[0]["album"] == "Tidal Clock", "the nearest is of the same album"
        found = bay.json("search", "cafe puert")
        assert found[0]["title"] == "Café del Puerto"
        assert bay.json("search", "paper bota")[0]["title"] == "Waltz for a Paper Boat"
        assert bay.json("show", "Sluice Gate")["analysis"]["key"] == "A"
        assert bay.json("failures") == []
        albums = bay.ask("{ albums { edges { node { title isCompilation trackCount } } } }")[
            "albums"
        ]
        assert sorted((e["node"]["title"], e["node"]["trackCount"]) for e in albums["edges"]) == [
            ("Bay Sampler", 6), ("Six Small Waltzes", 6), ("Slow Harbour", 6), ("Tidal Clock", 6)
        ]  # fmt: skip
    octave_errors = []
    for truth in DEMO_TRACKS:
        track = tracks[truth.path]
        analysis = as_analysis(track["analysis"])
        ratio = analysis.tempo_bpm / truth.tempo_bpm
        if ratio != pytest.approx(1, abs=0.02):
            assert any(ratio == pytest.approx(n, rel=0.02) for n in OCTAVES), truth.title
            octave_errors.append(truth.title)
        assert (analysis.key, analysis.mode) == (truth.key, truth.mode), truth.title
        assert analysis.loudness_lufs == pytest.approx(truth.loudness_lufs, abs=0.5), truth.title
        assert track["title"] == truth.title
        assert track["artists"] == list(truth.artists)
        assert track["artistCredit"] == truth.artist_credit
        assert track["album"]["title"] == truth.album
        assert track["album"]["isCompilation"] is truth.is_compilation
        assert [genre["name"] for genre in track["genres"]] == list(truth.genres)
        assert track["releaseDate"] == truth.date
        assert (track["trackNumber"], track["discNumber"]) == (
            truth.track_number,
            truth.disc_number,
        )
        assert track["cover"] is not None, truth.title
    assert len(octave_errors) <= 2, octave_errors
