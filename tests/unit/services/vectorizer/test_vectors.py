from typing import Any

import msgspec
import numpy as np
import pytest

from services.vectorizer.descriptor import DIMENSIONS, NAMES, descriptor, measured_values
from services.vectorizer.descriptor_reference import STATISTICS
from services.vectorizer.make_descriptor_reference import module_text, statistics
from services.vectorizer.text_description import text_description
from shared.gateway.vectorization import AnalysisToVectorize, TrackToVectorize


def analysis(**changes: Any) -> AnalysisToVectorize:
    fields = {
        "contentRevision": 1, "meaningAbsence": None, "meaning": None,
        "tempoBpm": 120.0, "tempoConfidence": 0.8, "onsetRateHz": 3.0, "danceability": 0.7,
        "key": "A", "mode": "minor", "keyConfidence": 0.6, "loudnessLufs": -14.0,
        "loudnessRangeLu": 6.0, "dynamicRangeDb": 9.0, "crestDb": 12.0, "energy": 0.6,
        "brightness": 0.2, "spectralCentroidHz": 1800.0, "spectralBandwidthHz": 1900.0,
        "spectralRolloffHz": 3500.0, "spectralFlatness": 0.01, "spectralContrastDb": [46.0] * 7,
        "zeroCrossingRate": 0.06, "mfccMean": [-120.0, 110.0] + [1.0] * 18,
        "mfccStd": [50.0] + [12.0] * 19, **changes,
    }  # fmt: skip
    return msgspec.convert(fields, AnalysisToVectorize)


SILENCE = analysis(
    tempoBpm=0.0, tempoConfidence=0.0, onsetRateHz=0.0, danceability=0.0, keyConfidence=0.0,
    loudnessLufs=-70.0, loudnessRangeLu=0.0, dynamicRangeDb=0.0, crestDb=0.0, energy=0.0,
    brightness=0.0, spectralCentroidHz=0.0, spectralBandwidthHz=0.0, spectralRolloffHz=0.0,
    spectralFlatness=0.0, spectralContrastDb=[0.0] * 7, zeroCrossingRate=0.0,
    mfccMean=[0.0] * 20, mfccStd=[0.0] * 20,
)  # fmt: skip


@pytest.mark.parametrize("values", [analysis(), SILENCE, analysis(loudnessLufs=1e9)])
def test_a_descriptor_is_finite_and_of_unit_length(values: AnalysisToVectorize) -> None:
    vector = descriptor(values)
    assert vector.dtype == np.float32
    assert vector.shape == (DIMENSIONS,)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_music_at_the_mean_of_the_reference_has_a_descriptor_too() -> None:
    means = {name: mean for name, (mean, _) in STATISTICS.items()}
    average = analysis(
        mfccMean=[means[f"mfcc_mean_{n}"] for n in range(20)],
        mfccStd=[means[f"mfcc_std_{n}"] for n in range(20)],
    )
    assert np.linalg.norm(descriptor(average)) == pytest.approx(1, abs=1e-6)


def test_similar_tracks_are_nearer_than_different_ones() -> None:
    one = descriptor(analysis())
    similar = descriptor(analysis(tempoBpm=124.0, loudnessLufs=-13.0, energy=0.65))
    slow: dict[str, Any] = {"tempoBpm": 60.0, "onsetRateHz": 0.5, "danceability": 0.1}
    soft: dict[str, Any] = {"energy": 0.1, "loudnessLufs": -30.0, "spectralCentroidHz": 500.0}
    other = descriptor(analysis(**slow, **soft, mfccMean=[-400.0, 200.0] + [10.0] * 18))
    assert one @ similar > 0.9
    assert one @ other < 0.5


def test_the_key_does_not_change_the_descriptor() -> None:
    assert np.array_equal(descriptor(analysis()), descriptor(analysis(key="F", mode="major")))


def test_the_reference_has_a_mean_and_a_deviation_for_each_dimension() -> None:
    assert list(STATISTICS) == NAMES
    assert all(deviation > 0 for _, deviation in STATISTICS.values())


def test_reference_statistics_are_written_so_that_they_can_be_read() -> None:
    rows = np.asarray(
        [measured_values(analysis()), measured_values(analysis(tempoBpm=0.0, energy=0.2))]
    )
    found = statistics(rows)
    written: dict[str, Any] = {}
    exec(module_text(found, count=2, source="two pieces"), written)
    assert written["STATISTICS"] == found
    assert found["energy"] == pytest.approx((0.4, 0.2))
    assert found["loudness"][1] > 1e5  # a value that never varied gets a large deviation


TRACK: dict[str, Any] = {
    "id": "trk_1", "isMissing": False, "contentRevision": 1, "stage": "ANALYZED",
    "title": "Nocturne", "artists": ["Maria Joao Pires"],
    "album": {"title": "Nocturnes", "artistCredit": ""},
    "credits": [{"creditedAs": "Chopin"}], "genres": [{"name": "Classical"}], "year": 1996,
    "tempoBpm": 64.0, "key": "A", "mode": "minor", "moods": ["dreamy", "soft"],
    "correction": None, "analysis": None,
}  # fmt: skip
CALM = analysis(tempoBpm=128.0, energy=0.1, brightness=0.05, danceability=0.2)


def track(**changes: Any) -> TrackToVectorize:
    return msgspec.convert({**TRACK, **changes}, TrackToVectorize)


def meaning_of(**changes: Any) -> dict[str, Any]:
    unsure = {"score": 0.9, "confidence": 0.2}
    names = ("aggressive", "relaxed", "party", "acoustic", "electronic", "instrumental")
    scales = dict.fromkeys(names, unsure)
    return {
        "model": "m", "version": "1", "embedding": "", "genre": "jazz", "genreConfidence": 0.4,
        **scales, **changes,
    }  # fmt: skip


def test_a_track_is_described_in_words() -> None:
    assert text_description(track(), CALM) == (
        "Nocturne. by Maria Joao Pires. from Nocturnes. composed by Chopin. Classical. 1990s."
        " dreamy, soft. calm and quiet. dark and warm. very slow. A minor"
    )


def test_unknown_fields_are_left_out() -> None:
    lists = ("artists", "credits", "genres", "moods")
    others = ("album", "year", "tempoBpm", "key", "mode")
    bare: dict[str, Any] = {**{name: [] for name in lists}, **dict.fromkeys(others)}
    assert text_description(track(**bare), SILENCE) == ("Nocturne. calm and quiet. dark and warm")


def test_a_very_long_tag_does_not_displace_the_others() -> None:
    description = text_description(track(title="x" * 1_000_000), CALM)
    assert len(description) < 500
    assert "Classical" in description


def test_scales_and_genre_that_the_model_is_sure_of_are_described() -> None:
    sure = {"score": 0.9, "confidence": 0.7}
    little = {"score": 0.1, "confidence": 0.7}
    meaning = meaning_of(aggressive=little, relaxed=sure, acoustic=sure, electronic=little)
    description = text_description(track(), analysis(meaning=meaning))
    assert description.endswith(". relaxed. acoustic. sounds like jazz")


@pytest.mark.parametrize(
    ("correction", "end"),
    [
        ({"moods": ["furious"]}, ". acoustic. sounds like jazz"),
        ({"moods": []}, ". acoustic. sounds like jazz"),
        ({"moods": None}, ". relaxed. party. acoustic. sounds like jazz"),
    ],
)
def test_the_model_adds_no_moods_to_those_that_a_person_corrected(
    correction: dict[str, Any], end: str
) -> None:
    sure = {"score": 0.9, "confidence": 0.7}
    analyzed = analysis(meaning=meaning_of(relaxed=sure, party=sure, acoustic=sure))
    description = text_description(track(correction=correction), analyzed)
    assert description.endswith(". A minor" + end)
