"""Makes `musicnn_vectors.npz`: what TensorFlow and librosa compute for a few sounds.

Neither this project nor its tests need TensorFlow; this was run once, in an environment of its own
(Python 3.11):

    pip install "tensorflow-cpu==2.15.1" "numpy<2" "librosa==0.11.0"
    pip install --no-deps musicnn==0.1.0
    python -m tests.unit.services.analyzer.musicnn.make_musicnn_vectors

The network is the package's own `models.py`, restored by TensorFlow from the package's checkpoint,
fed with librosa's spectrograms in float32. Kept are the logits, all 753 pooled values twice, one
spectrogram, and a digest of every tensor of the checkpoint as TensorFlow reads it.
"""

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.services.analyzer.musicnn.musicnn_sounds import RATE_HZ, sounds

MODEL = "MSD_musicnn"


def main() -> None:
    tf: Any = import_module("tensorflow")
    models: Any = import_module("musicnn.models")
    librosa: Any = import_module("librosa")
    tf.compat.v1.disable_eager_execution()
    spectra = [
        librosa.feature.melspectrogram(y=sound, sr=RATE_HZ, n_fft=512, hop_length=256, n_mels=96,
                                       center=False).T
        for sound in sounds().values()
    ]  # fmt: skip
    patches = np.log10(10_000 * np.stack(spectra).astype(np.float32) + 1)
    with tf.name_scope("model"):
        given = tf.compat.v1.placeholder(tf.float32, [None, 187, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        outputs = models.define_model(given, training, MODEL, 50)
    folder = f"{Path(models.__file__).parent / MODEL}/"
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.Saver().restore(session, folder)
        results = session.run(outputs, {given: patches, training: False})
    reader = tf.compat.v1.train.NewCheckpointReader(folder)
    digest = hashlib.sha256()
    for name in sorted(reader.get_variable_to_shape_map()):
        digest.update(name.encode() + reader.get_tensor(name).tobytes())
    np.savez_compressed(
        Path(__file__).with_name("musicnn_vectors.npz"),
        logits=results[0], largest=results[7], mean=results[6], patch=patches[0],
        digest=np.frombuffer(digest.digest(), np.uint8),
    )  # fmt: skip


if __name__ == "__main__":
    main()
