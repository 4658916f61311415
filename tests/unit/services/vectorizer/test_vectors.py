from typing import Any

import numpy as np
import pytest

from services.vectorizer.audio_vector import DIMENSIONS, NAMES, audio_vector, descriptor
from services.vectorizer.reference import STATISTICS
from services.vectorizer.reference_music import page, statistics
from services.vectorizer.text_description import text_description


def analysis(**changes: Any) -> dict[str, Any]:
    return {
        "tempoBpm": 120.0, "tempoConfidence": 0.8, "onsetRateHz": 3.0, "danceability": 0.7,
        "key": "A", "mode": "minor", "keyConfidence": 0.6, "loudnessLufs": -14.0,
        "loudnessRangeLu": 6.0, "dynamicRangeDb": 9.0, "crestDb": 12.0, "energy": 0.6,
        "brightness": 0.2, "spectralCentroidHz": 1800.0, "spectralBandwidthHz": 1900.0,
        "spectralRolloffHz": 3500.0, "spectralFlatness": 0.01, "spectralContrastDb": [46.0] * 7,
        "zeroCrossingRate": 0.06, "mfccMean": [-120.0, 110.0] + [1.0] * 18,
        "mfccStd": [50.0] + [12.0] * 19, **changes,
    }  # fmt: skip


SILENCE = analysis(
    tempoBpm=0.0, tempoConfidence=0.0, onsetRateHz=0.0, danceability=0.0, keyConfidence=0.0,
    loudnessLufs=-70.0, loudnessRangeLu=0.0, dynamicRangeDb=0.0, crestDb=0.0, energy=0.0,
    brightness=0.0, spectralCentroidHz=0.0, spectralBandwidthHz=0.0, spectralRolloffHz=0.0,
    spectralFlatness=0.0, spectralContrastDb=[0.0] * 7, zeroCrossingRate=0.0,
    mfccMean=[0.0] * 20, mfccStd=[0.0] * 20,
)  # fmt: skip


@pytest.mark.parametrize("told", [analysis(), SILENCE, analysis(loudnessLufs=1e9)])
def test_an_audio_vector_is_finite_and_of_unit_length(told: dict[str, Any]) -> None:
    vector = audio_vector(told)
    assert vector.dtype == np.float32
    assert vector.shape == (DIMENSIONS,)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_music_at_the_mean_of_the_reference_has_a_vector_too() -> None:
    means = {name: mean for name, (mean, _) in STATISTICS.items()}
    told = analysis(
        mfccMean=[means[f"mfcc_mean_{n}"] for n in range(20)],
        mfccStd=[means[f"mfcc_std_{n}"] for n in range(20)],
    )
    assert np.linalg.norm(audio_vector(told)) == pytest.approx(1, abs=1e-6)


def test_what_sounds_nearly_alike_is_nearer_than_what_does_not() -> None:
    track = audio_vector(analysis())
    alike = audio_vector(analysis(tempoBpm=124.0, loudnessLufs=-13.0, energy=0.65))
    slow = {"tempoBpm": 60.0, "onsetRateHz": 0.5, "danceability": 0.1}
    soft = {"energy": 0.1, "loudnessLufs": -30.0, "spectralCentroidHz": 500.0}
    other = audio_vector(analysis(**slow, **soft, mfccMean=[-400.0, 200.0] + [10.0] * 18))
    assert track @ alike > 0.9
    assert track @ other < 0.5


def test_the_key_makes_no_difference_to_the_sound() -> None:
    assert np.array_equal(audio_vector(analysis()), audio_vector(analysis(key="F", mode="major")))


def test_the_reference_has_a_mean_and_a_deviation_for_each_dimension() -> None:
    assert list(STATISTICS) == NAMES
    assert all(deviation > 0 for _, deviation in STATISTICS.values())


def test_reference_statistics_are_written_as_they_are_read() -> None:
    rows = np.asarray([descriptor(analysis()), descriptor(analysis(tempoBpm=0.0, energy=0.2))])
    found = statistics(rows)
    written: dict[str, Any] = {}
    exec(page(found, count=2, what="two pieces"), written)
    assert written["STATISTICS"] == found
    assert found["energy"] == pytest.approx((0.4, 0.2))
    assert found["loudness"][1] > 1e5  # never varied: it tells nothing


TRACK: dict[str, Any] = {
    "title": "Nocturne", "artists": ["Maria Joao Pires"], "album": {"title": "Nocturnes"},
    "credits": [{"creditedAs": "Chopin"}], "genres": [{"name": "Classical"}], "year": 1996,
    "tempoBpm": 64.0, "key": "A", "mode": "minor", "moods": ["dreamy", "soft"],
    "correction": None,
    "analysis": analysis(tempoBpm=128.0, energy=0.1, brightness=0.05, danceability=0.2),
}  # fmt: skip


def test_a_track_is_told_in_words() -> None:
    assert text_description(TRACK) == (
        "Nocturne. by Maria Joao Pires. from Nocturnes. composed by Chopin. Classical. 1990s."
        " dreamy, soft. calm and quiet. dark and warm. very slow. A minor"
    )


def test_what_is_not_known_is_not_told() -> None:
    lists = ("artists", "credits", "genres", "moods")
    others = ("album", "year", "tempoBpm", "key", "mode")
    bare: dict[str, Any] = {**{name: [] for name in lists}, **dict.fromkeys(others)}
    assert text_description({**TRACK, **bare, "analysis": SILENCE}) == (
        "Nocturne. calm and quiet. dark and warm"
    )


def test_a_monstrous_tag_does_not_drown_the_others() -> None:
    told = text_description({**TRACK, "title": "x" * 1_000_000})
    assert len(told) < 500
    assert "Classical" in told


def test_what_a_trained_model_is_sure_of_is_told_in_words() -> None:
    sure, unsure = {"score": 0.9, "confidence": 0.7}, {"score": 0.9, "confidence": 0.2}
    little = {"score": 0.1, "confidence": 0.7}
    meaning = {
        "genre": "jazz", "genreConfidence": 0.4, "aggressive": little, "relaxed": sure,
        "party": unsure, "acoustic": sure, "electronic": little, "instrumental": unsure,
    }  # fmt: skip
    told = text_description({**TRACK, "analysis": analysis(meaning=meaning)})
    assert told.endswith(". relaxed. acoustic. sounds like jazz")


@pytest.mark.parametrize(
    ("correction", "end"),
    [
        ({"moods": ["furious"]}, ". acoustic. sounds like jazz"),
        ({"moods": []}, ". acoustic. sounds like jazz"),
        ({"moods": None}, ". relaxed. party. acoustic. sounds like jazz"),
    ],
)
def test_moods_that_a_person_corrected_are_not_added_to(
    correction: dict[str, Any], end: str
) -> None:
    sure = {"score": 0.9, "confidence": 0.7}
    heard = dict.fromkeys(("relaxed", "party", "acoustic"), sure)
    told = analysis(meaning={**heard, "genre": "jazz", "genreConfidence": 0.4})
    words = text_description({**TRACK, "correction": correction, "analysis": told})
    assert words.endswith(". A minor" + end)
