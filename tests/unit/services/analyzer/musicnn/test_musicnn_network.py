"""The network computes what TensorFlow computes; make_musicnn_vectors.py makes the reference."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.musicnn import scores
from services.analyzer.musicnn.checkpoint import UnreadableCheckpoint, read_checkpoint
from services.analyzer.musicnn.models import checkpoint_folder
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.network import logits_of, pooled_of
from services.analyzer.musicnn.patches import log_mel
from services.analyzer.musicnn.weights import load, prune
from tests.unit.services.analyzer.musicnn.musicnn_sounds import sounds

VECTORS = np.load(Path(__file__).with_name("musicnn_vectors.npz"))
DATA, INDEX = ".data-00000-of-00001", ".index"
Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def patches() -> Array:
    return log_mel(np.stack(list(sounds().values())))


def test_every_tensor_of_the_checkpoint_is_read_as_tensorflow_reads_it() -> None:
    tensors = read_checkpoint(checkpoint_folder(MSD), wanted=lambda name: True)
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].tobytes())
    assert digest.digest() == VECTORS["digest"].tobytes()


def test_the_spectrogram_is_librosas(patches: Array) -> None:
    assert patches.dtype == np.float32
    np.testing.assert_allclose(patches[0], VECTORS["patch"], atol=1e-5)


def test_logits_and_probabilities_are_tensorflows(patches: Array) -> None:
    network = load(MSD)
    logits = logits_of(network, pooled_of(network, patches))
    np.testing.assert_allclose(logits, VECTORS["logits"], atol=1e-4)
    np.testing.assert_allclose(
        scores.probabilities(logits), scores.probabilities(VECTORS["logits"]), atol=1e-5
    )


def test_pooled_values_are_tensorflows_and_pruned_channels_are_constant(patches: Array) -> None:
    largest, mean = pooled_of(load(MSD), patches).transpose(1, 0, 2)
    varying = np.ptp(VECTORS["mean"], axis=0) > 1e-6
    assert largest.shape[1] == 64 + 3 * 64  # of the front end's 561 filters 64 are live
    for found, reference in ((largest, VECTORS["largest"]), (mean, VECTORS["mean"])):
        rest = list(reference[:, varying].T)
        for channel in found.T[np.ptp(found, axis=0) > 1e-6]:  # in their order
            while np.abs(rest[0] - channel).max() > 1e-3:
                rest.pop(0)
            rest.pop(0)


def test_pruning_changes_nothing(patches: Array) -> None:
    tensors = read_checkpoint(checkpoint_folder(MSD), wanted=lambda name: True)
    whole = prune(tensors, dead_below=-1.0)
    assert whole.hidden.shape == (2, 753, 200)
    some = patches[[0, 4]]
    expected = logits_of(whole, pooled_of(whole, some))
    network = load(MSD)
    np.testing.assert_allclose(logits_of(network, pooled_of(network, some)), expected, atol=1e-4)


@pytest.mark.parametrize("file", [INDEX, DATA])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_is_an_unreadable_one(
    tmp_path: Path, file: str, share: float
) -> None:
    _copied(tmp_path)
    target = tmp_path / file
    target.write_bytes(target.read_bytes()[: int(share * target.stat().st_size)])
    with pytest.raises(UnreadableCheckpoint):
        read_checkpoint(tmp_path, wanted=lambda name: True)


@pytest.mark.parametrize("seed", range(20))
def test_an_index_with_flipped_bytes_is_read_or_unreadable(tmp_path: Path, seed: int) -> None:
    _copied(tmp_path)
    index = bytearray((tmp_path / INDEX).read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(index), 8):
        index[place] ^= 1 << int(rng.integers(8))
    (tmp_path / INDEX).write_bytes(index)
    try:
        read_checkpoint(tmp_path, wanted=lambda name: True)
    except UnreadableCheckpoint as error:
        assert str(tmp_path) in str(error)


def _copied(folder: Path) -> None:
    for name in (INDEX, DATA):
        shutil.copy(checkpoint_folder(MSD) / name, folder / name)
