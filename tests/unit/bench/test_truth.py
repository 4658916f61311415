"""The scores, signals and pieces of the truth benchmark are correct."""

import numpy as np
import pytest

from bench.truth.arrangement import play
from bench.truth.pieces import pieces
from bench.truth.scores import is_accurate, is_accurate_but_octave, key_score
from bench.truth.signals import signals
from bench.truth.voices import RATE_HZ


@pytest.mark.parametrize(
    ("found", "first", "second"),
    [(100, True, True), (103.9, True, True), (104.1, False, False), (200, False, True),
     (50, False, True), (300, False, True), (33.4, False, True), (150, False, False)],
)  # fmt: skip
def test_accuracy_1_needs_the_tempo_and_accuracy_2_accepts_octaves_and_thirds(
    found: float, first: bool, second: bool
) -> None:
    assert is_accurate(found, 100) == first
    assert is_accurate_but_octave(found, 100) == second


@pytest.mark.parametrize(
    ("found", "score"),
    [("C major", 1), ("G major", 0.5), ("F major", 0.5), ("A minor", 0.3), ("C minor", 0.2),
     ("E minor", 0), ("D major", 0)],
)  # fmt: skip
def test_a_nearly_right_key_has_the_score_of_mirex(found: str, score: float) -> None:
    key, mode = found.split()
    assert key_score(key, mode, "C", "major") == score
    if mode == "minor":
        assert key_score("C", "major", key, mode) == score


def test_the_same_seed_gives_the_same_pieces_and_another_seed_others() -> None:
    assert pieces(40, 3) == pieces(40, 3)
    assert pieces(40, 3) != pieces(40, 4)
    first = pieces(4, 3)[2]
    np.testing.assert_array_equal(play(first, 4), play(first, 4))


def test_a_hundred_pieces_have_every_key_and_tempi_from_60_to_200() -> None:
    chosen = pieces(120, 5)
    assert len({(p.key, p.mode) for p in chosen if p.key and not p.is_modal}) == 24
    tempi = [p.tempo_bpm for p in chosen]
    assert min(tempi) < 66
    assert max(tempi) > 180
    assert all(60 <= tempo <= 200 for tempo in tempi)


def test_a_piece_has_its_length_and_does_not_clip() -> None:
    for piece in pieces(8, 6):
        sound = play(piece, 5)
        assert sound.shape == (5 * RATE_HZ, 2)
        assert 0.05 < np.abs(sound).max() < 1


def test_the_signals_have_the_peaks_of_the_standards() -> None:
    by_name = {signal.name: signal for signal in signals()}
    assert len(by_name) == 22
    assert np.abs(by_name["3341-1"].samples).max() == pytest.approx(10 ** (-23 / 20), rel=1e-3)
    assert by_name["3341-6"].samples.shape[1] == 5
    assert np.abs(by_name["3341-19"].samples).max() == pytest.approx(1.41 * 0.5**0.5, rel=1e-3)
    # The peak of a burst is between two samples, so the largest sample depends on its position.
    peaks = [np.abs(by_name[f"3341-{number}"].samples).max() for number in (20, 21, 22, 23)]
    assert max(peaks) > 0.9
    assert min(peaks) < 0.8
