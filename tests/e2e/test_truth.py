"""The demo and real music, the whole way: every field is there, and the demo's are true."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic.alias_generators import to_snake

from shared.contracts.analysis import Analysis
from shared.contracts.meaning import Meaning
from soniquebay.demo import DEMO_TRACKS
from tests.e2e.running import ANALYSIS, JSON, TAGS, Bay

OCTAVES = (0.5, 2, 1 / 3, 3, 2 / 3, 1.5)


def as_analysis(told: JSON) -> Analysis:
    """Checks that every field is there and in its range."""
    named = in_snake_case(told)
    assert set(named) == set(Analysis.model_fields)
    meaning = named["meaning"]
    assert set(meaning) == set(Meaning.model_fields)
    meaning["tags"] = {tag["name"]: tag["score"] for tag in meaning["tags"]}
    meaning["embedding"] = np.frombuffer(base64.b64decode(meaning["embedding"]), "<f4").tolist()
    named["bandwidth_kind"] = named["bandwidth_kind"].lower()
    return Analysis.model_validate(named)


def in_snake_case(told: Any) -> Any:
    if isinstance(told, list):
        return [in_snake_case(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {to_snake(name): in_snake_case(value) for name, value in told.items()}


def check_complete(bay: Bay, count: int) -> dict[str, JSON]:
    status = bay.json("status")
    stages = {name: status[name] for name in ("tracks", "analyzed", "vectorized", "indexed")}
    assert set(stages.values()) == {count}, status
    assert (status["failed"], status["pending"], status["missing"]) == (0, 0, 0)
    tracks = bay.tracks(f"id stage {TAGS} {ANALYSIS} vectors {{ space dimensions }}")
    assert len(tracks) == count
    for path, track in tracks.items():
        assert track["stage"] == "INDEXED", path
        assert sorted(vector["space"] for vector in track["vectors"]) == ["AUDIO", "TEXT"]
        as_analysis(track["analysis"])
    return tracks


def test_the_demo_sounds_as_it_truly_does(bay: Bay, demo_music: Path) -> None:
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
        heard = as_analysis(track["analysis"])
        ratio = heard.tempo_bpm / truth.tempo_bpm
        if ratio != pytest.approx(1, abs=0.02):
            assert any(ratio == pytest.approx(n, rel=0.02) for n in OCTAVES), truth.title
            octave_errors.append(truth.title)
        assert (heard.key, heard.mode) == (truth.key, truth.mode), truth.title
        assert heard.loudness_lufs == pytest.approx(truth.loudness_lufs, abs=0.5), truth.title
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
