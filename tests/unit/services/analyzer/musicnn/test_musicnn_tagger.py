"""The tagger: slices, scores, silence, missing weights."""

import sys
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import services.analyzer.musicnn
from services.analyzer.musicnn import scores
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.patches import PATCH_SAMPLES, log_mel, slices_of
from services.analyzer.musicnn.tagger import Tagger, absence_reason
from shared.contracts.meaning import SCORES, Meaning, Score
from tests.unit.services.analyzer.musicnn.musicnn_sounds import RATE_HZ, sounds

Array = NDArray[np.float32]
AVERAGE = np.asarray([[MSD.reference.tags[tag][0] for tag in MSD.tags]], np.float32)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    found = Tagger.open()
    assert found is not None
    return found


def scores_of(meaning: Meaning) -> dict[str, Score]:
    return {name: getattr(meaning, name) for name in SCORES}


@pytest.mark.parametrize(
    ("duration_s", "rate_hz", "count"),
    [
        (0.001, 16_000, 1),
        (2.0, 22_050, 1),
        (3.1, 22_050, 2),
        (10.0, 44_100, 4),
        (25.0, 22_050, 8),
        (600.0, 22_050, 8),
    ],
)
def test_a_track_gives_as_many_slices_as_it_has_seconds_for_and_at_most_eight(
    duration_s: float, rate_hz: int, count: int
) -> None:
    sound = np.ones(max(1, round(duration_s * rate_hz)), np.float32)
    assert slices_of(sound, rate_hz).shape == (count, PATCH_SAMPLES)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 48_000])
def test_slices_are_evenly_spaced_over_the_whole_track(rate_hz: int) -> None:
    ramp = np.linspace(0, 1, 80 * rate_hz, dtype=np.float32)
    middles = slices_of(ramp, rate_hz)[:, PATCH_SAMPLES // 2]
    np.testing.assert_allclose(middles, (np.arange(8) + 0.5) / 8, atol=1e-3)


def test_a_short_track_is_repeated_and_silent_slices_are_left_out() -> None:
    tone = sounds()["melody"][:8_000]
    (found,) = slices_of(tone, RATE_HZ)
    np.testing.assert_array_equal(found[8_000:16_000], tone)
    half = np.concatenate([np.zeros(RATE_HZ * 40, np.float32), np.resize(tone, RATE_HZ * 40)])
    assert len(slices_of(half, RATE_HZ)) == 4


def test_the_loudest_music_does_not_overflow() -> None:
    wall = np.sign(sounds()["noise"])[None] * np.float32(8)
    assert np.isfinite(log_mel(wall)).all()


@pytest.mark.parametrize("name", list(sounds()))
def test_every_field_is_filled_and_in_its_range(tagger: Tagger, name: str) -> None:
    meaning = tagger.tag(sounds()[name])
    assert list(meaning.tags) == list(MSD.tags)
    values = [*meaning.tags.values(), meaning.genre_confidence]
    values += [part for score in scores_of(meaning).values() for part in (score.score,
               score.confidence)]  # fmt: skip
    assert all(0 <= value <= 1 for value in values)
    assert len(meaning.embedding) == MSD.dimensions == 420
    assert np.linalg.norm(meaning.embedding) == pytest.approx(1, abs=1e-5)
    assert (meaning.model, meaning.version) == (MSD.name, MSD.version)


def test_silence_has_defined_values_and_confidence_0(tagger: Tagger) -> None:
    meaning = tagger.tag(np.zeros(100_000, np.float32), 22_050)
    assert (meaning.patches, meaning.genre, meaning.genre_confidence) == (0, None, 0)
    assert set(meaning.tags.values()) == {0}
    assert {score.confidence for score in scores_of(meaning).values()} == {0}
    assert (meaning.energy.score, meaning.valence.score) == (0, 0.5)


@pytest.mark.parametrize(
    ("scale", "more", "less"),
    [
        ("energy", "noise", "melody"),
        ("arousal", "drums", "melody"),
        ("aggressive", "noise", "hush"),
        ("relaxed", "melody", "noise"),
        ("party", "drums", "melody"),
        ("electronic", "drums", "hush"),
    ],
)
def test_sounds_are_ordered_as_a_person_would(
    tagger: Tagger, scale: str, more: str, less: str
) -> None:
    first, second = (scores_of(tagger.tag(sounds()[name]))[scale] for name in (more, less))
    assert first.score > second.score + 0.4


def test_a_track_has_a_similar_embedding_at_other_rates_and_levels(tagger: Tagger) -> None:
    track = np.concatenate([sounds()[name] for name in ("melody", "drums", "wall")] * 3)
    other = np.concatenate([sounds()["noise"]] * 9)
    first = tagger.tag(track)
    faster = np.interp(np.arange(0, len(track), 16_000 / 44_100), np.arange(len(track)), track)
    for variant in (
        tagger.tag(faster.astype(np.float32), 44_100),
        tagger.tag(track * np.float32(0.5)),
    ):
        alike = np.dot(first.embedding, variant.embedding)
        assert alike > 0.9
        assert alike > np.dot(first.embedding, tagger.tag(other).embedding)
        assert variant.genre == first.genre


@pytest.mark.parametrize("name", SCORES)
def test_an_average_track_is_in_the_middle_of_each_scale_and_its_tags_move_it(name: str) -> None:
    scale = MSD.scales[name]
    middle = scores.score_of(MSD, name, AVERAGE)
    assert (middle.score, middle.confidence) == pytest.approx((0.5, 0), abs=0.02)
    for tags, more in ((scale.more, True), (scale.less, False)):
        moved = AVERAGE.copy()
        moved[:, [MSD.tags.index(tag) for tag in tags]] += 3
        score = scores.score_of(MSD, name, moved)
        assert (score.score > 0.8) if more else (score.score < 0.2)
        assert 0.9 * scale.worth < score.confidence <= scale.worth


def test_patches_that_disagree_are_worth_less_than_those_that_agree() -> None:
    lift = np.zeros_like(AVERAGE)
    lift[:, MSD.tags.index("metal")] = 2
    agreeing = np.concatenate([AVERAGE + lift] * 4)
    differing = np.concatenate([AVERAGE + 6 * lift, *[AVERAGE - lift * 2 / 3] * 3])
    first, second = (scores.score_of(MSD, "aggressive", x) for x in (agreeing, differing))
    assert first.score == pytest.approx(second.score, abs=0.01)
    assert first.confidence > second.confidence + 0.1


def test_a_rare_genre_with_a_high_probability_wins_over_rock() -> None:
    tags = {tag: share for tag, (_, _, share) in MSD.reference.tags.items()}
    assert scores.genre_of(MSD, tags)[0] == "rock"
    genre, confidence = scores.genre_of(MSD, tags | {"jazz": 0.3})
    assert genre == "jazz"
    assert 0.2 < confidence < 0.5


def test_tags_scales_and_genres_of_the_model_are_consistent() -> None:
    assert set(MSD.scales) == set(SCORES) == set(MSD.reference.scales)
    assert set(MSD.tags) == set(MSD.reference.tags)
    used = [*MSD.genres.values(), *(scale.more + scale.less for scale in MSD.scales.values())]
    assert {tag for tags in used for tag in tags} <= set(MSD.tags)


def test_without_the_package_there_is_no_tagger_but_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert absence_reason() is None
    model = replace(MSD)  # another object, so that its weights are not cached
    monkeypatch.setattr(sys, "path", [])
    assert Tagger.open(model) is None
    assert "not installed" in str(absence_reason(model))


def test_with_damaged_weights_the_reason_says_what_to_do() -> None:
    model = replace(MSD, folder="no_such_model")
    assert Tagger.open(model) is None
    assert "install it anew" in str(absence_reason(model))


def test_the_notice_has_the_full_licence_of_the_package() -> None:
    notice = Path(services.analyzer.musicnn.__file__).with_name("NOTICE").read_text()
    licence = distribution("musicnn").read_text("LICENSE.md")
    assert licence
    assert " ".join(licence.split()) in " ".join(notice.split())


def test_the_package_itself_is_never_imported(tagger: Tagger) -> None:
    tagger.tag(sounds()["drums"])
    assert "musicnn" not in sys.modules
    assert "tensorflow" not in sys.modules
