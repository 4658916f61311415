"""The loudness of an album, from the histograms of its tracks."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.loudness import ebu_r128
from services.api.loudness import integrated_lufs, replaygain_db


def _album_lufs(tracks: Sequence[NDArray[np.float64]]) -> float:
    """The loudness of an album from the K-weighted power of its tracks."""
    counts, means_lufs = zip(*map(ebu_r128.momentary_histogram, tracks), strict=True)
    return integrated_lufs(counts, means_lufs)


@pytest.mark.parametrize("level_db", np.arange(-30, -29, 0.06).tolist())
def test_steady_sound_is_as_loud_as_it_is_wherever_it_lies_in_its_bin(level_db: float) -> None:
    tracks = [np.full(600, 10 ** (level_db / 10)), np.full(300, 10 ** ((level_db - 3.2) / 10))]
    blocks = np.concatenate([track[3:] for track in tracks])
    together = -0.691 + 10 * np.log10(blocks.mean())
    assert _album_lufs(tracks) == pytest.approx(together, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_loudness_of_the_concatenated_tracks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # A quiet track, a loud one, one with both: the album's gate differs from those of its tracks.
    levels = [rng.normal(-32, 3, 1_800), rng.normal(-11, 2, 2_400), rng.normal(-20, 8, 3_000)]
    tracks = [10 ** (level / 10) for level in levels]
    together = ebu_r128.integrated_lufs(np.concatenate(tracks))
    found = _album_lufs(tracks)
    assert found == pytest.approx(together, abs=0.05)
    assert replaygain_db(found) == pytest.approx(-18 - found)


def test_an_album_of_silence_has_minus_70_lufs_and_no_gain() -> None:
    assert _album_lufs([np.zeros(100)] * 2) == -70
    assert replaygain_db(-70) == 0
