"""Files of one length that are alike at three places are analysed each."""

from pathlib import Path

import pytest

from tests.e2e.running import Bay
from tests.unit.services.extractor.similar_files import quiet, wave

FIELDS = "analysis { loudnessLufs tempoBpm silenceShare }"


def test_silence_is_not_given_the_analysis_of_another_file(bay: Bay, tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    sounds = {"door": quiet(110, 130), "bell": quiet(1_900, 2_500) // 4, "none": quiet()}
    for name, samples in sounds.items():
        (music / f"{name}.wav").write_bytes(wave(samples))
    with bay.serving("--music", str(music)):
        bay.wait_until_idle()
        tracks = bay.tracks(FIELDS)
        assert bay.ask("{ duplicates { tracks { path } } }")["duplicates"] == []
    door, bell, none = (tracks[f"{name}.wav"]["analysis"] for name in ("door", "bell", "none"))
    assert (none["loudnessLufs"], none["tempoBpm"], none["silenceShare"]) == (-70, 0, 1)
    assert door["loudnessLufs"] > -30
    assert bell["loudnessLufs"] != pytest.approx(door["loudnessLufs"], abs=1)
