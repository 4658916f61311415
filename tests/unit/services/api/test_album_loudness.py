"""The loudness of an album, from the histograms of its tracks."""

import numpy as np
import pytest

from services.analyzer.loudness import ebu_r128
from services.api.loudness import integrated_lufs, replaygain_db


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_loudness_of_the_concatenated_tracks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # A quiet track, a loud one, one with both: the album's gate differs from those of its tracks.
    levels = [rng.normal(-32, 3, 1_800), rng.normal(-11, 2, 2_400), rng.normal(-20, 8, 3_000)]
    tracks = [10 ** (level / 10) for level in levels]
    together = ebu_r128.integrated_lufs(np.concatenate(tracks))
    found = integrated_lufs([ebu_r128.momentary_histogram(track) for track in tracks])
    assert found == pytest.approx(together, abs=0.1)
    assert replaygain_db(found) == pytest.approx(-18 - found)


def test_an_album_of_silence_has_minus_70_lufs_and_no_gain() -> None:
    silent = ebu_r128.momentary_histogram(np.zeros(100))
    assert integrated_lufs([silent, silent]) == -70
    assert replaygain_db(-70) == 0
