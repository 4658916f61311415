"""The fields of `Analysis`: each is filled, and documented in docs/analysis.md."""

import re
from pathlib import Path

import numpy as np
import pytest

from services.analyzer.analysis import analysis_of
from services.analyzer.decode_pass import decode_stream
from shared.contracts.analysis import Analysis, KeyChange
from shared.contracts.meaning import SCORES, Meaning
from tests.unit.services.analyzer.sounds import audio_of, clicks, progression

RATE_HZ = 22_050
DOCUMENT = Path(__file__).parents[4] / "docs" / "analysis.md"
DEPENDS = {"fingerprint", "acoustid_id", "meaning", "meaning_absence"}
"""Fields that depend on what is installed and configured."""
SOMETIMES = {
    "silence_start_s", "silence_end_s", "silence_share", "heard_s", "clipping_share", "damaged",
    "first_downbeat", "fade_in_s", "fade_out_s", "dc_offset", "is_mono_in_stereo",
    "section_boundaries_s", "tuning_cents", "replaygain_track_gain_db",
}  # fmt: skip
"""Fields that may be 0, false or empty for music too."""


@pytest.fixture(scope="module")
def silent() -> Analysis:
    return analysis_of(decode_stream(audio_of(np.zeros((2, RATE_HZ * 20), np.float32), RATE_HZ)))


@pytest.fixture(scope="module")
def music() -> Analysis:
    left = np.tile(progression(9, "minor"), 5)
    right = left * np.float32(0.5) + clicks(120, 40)[: len(left)]
    return analysis_of(decode_stream(audio_of(np.stack([left, right]), RATE_HZ)))


def test_music_fills_every_field(music: Analysis) -> None:
    fields = music.model_dump()
    empty = {
        name for name in fields if name not in DEPENDS | SOMETIMES and fields[name] in (0, [], "")
    }
    assert empty == set()
    missing = {name for name, value in fields.items() if value is None}
    assert missing <= DEPENDS
    assert music.meaning is not None


def test_silence_has_a_value_in_every_field_and_confidence_in_none(silent: Analysis) -> None:
    fields = silent.model_dump()
    assert {name for name, value in fields.items() if value is None} <= DEPENDS
    sure = {name: value for name, value in fields.items() if "confidence" in name and value}
    assert sure == {}
    assert silent.meaning is not None
    assert {getattr(silent.meaning, name).confidence for name in SCORES} == {0}


def _documented(model: type) -> set[str]:
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    firsts = " ".join(line.split("|")[1] for line in lines)
    return set(re.findall(r"`(\w+)`", firsts))


@pytest.mark.parametrize("model", [Analysis, Meaning])
def test_every_field_is_documented(model: type[Analysis] | type[Meaning]) -> None:
    names = {_camel(name) for name in model.model_fields}
    assert names - _documented(model) == set()
    assert set(KeyChange.model_fields) == {"time_s", "key", "mode"}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
