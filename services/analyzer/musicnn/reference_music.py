"""Makes `msd_reference.py` from folders of music; run it after a change of slices or scales.

    python -m services.analyzer.musicnn.reference_music FOLDER...

The music at hand is never what the world listens to. But the model's own normalisation knows mean
and deviation of each pooled value over the music it was trained on, 200,000 songs. So the music at
hand only lends how those values go together: each is moved and stretched to the mean and deviation
of training, and what the model then says is the reference. A check: the mean probabilities come
out as the tags' shares in the data set (rock .20, pop .11, indie .09, dance .05), though the music
used has hardly any of them.
"""

import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.analyzer.decoding import open_audio
from services.analyzer.musicnn import derive
from services.analyzer.musicnn.log_mel import log_mel
from services.analyzer.musicnn.models import Model, Reference
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.network import logits_of, pooled_of
from services.analyzer.musicnn.pruning import Network
from services.analyzer.musicnn.slices import slices_of
from services.analyzer.musicnn.weights import load
from shared.contracts.errors import InvalidInput

Array = NDArray[np.float32]

_SHORTEST_S = 20.0
_TARGET = Path(__file__).with_name("msd_reference.py")
_HEAD = '''"""What the model says of reference music.

Made by `reference_music.py`, which says how, from {count} tracks below:
{what}.
"""

'''


def pooled_values(network: Network, folder: Path) -> Iterator[Array]:
    """Of each track of music below a folder its patches' pooled values, (p, 2, d)."""
    for path in sorted(folder.rglob("*")):
        try:
            audio = open_audio(os.fsencode(path))
            sound = np.concatenate([block.mean(axis=0, dtype=np.float32) for block in audio.blocks])
        except InvalidInput:
            continue
        if len(sound) >= _SHORTEST_S * audio.rate_hz:
            patches = log_mel(slices_of(sound, audio.rate_hz))
            if len(patches):
                yield pooled_of(network, patches)


def as_in_training(network: Network, tracks: list[Array]) -> list[Array]:
    """The same with the mean and deviation that training met."""
    patches = np.concatenate(tracks)
    deviation = np.maximum(patches.std(axis=0), 1e-6)
    stretch = network.pooled_deviation / deviation
    return [network.pooled_mean + (track - patches.mean(axis=0)) * stretch for track in tracks]


def reference_of(model: Model, network: Network, tracks: list[Array]) -> Reference:
    """The reference that tracks give, from their pooled values."""
    logits = [logits_of(network, pooled) for pooled in as_in_training(network, tracks)]
    means = np.stack([track.mean(axis=0) for track in logits])
    often = np.concatenate([derive.probabilities(track) for track in logits]).mean(axis=0)
    rows = np.stack([means.mean(axis=0), means.std(axis=0), often], axis=1)
    tags = {
        tag: (round(float(mean), 3), round(float(deviation), 3), round(float(share), 4))
        for tag, (mean, deviation, share) in zip(model.tags, rows, strict=True)
    }
    half = replace(model, reference=Reference(tags=tags, scales={}))
    scales = {
        name: round(float(derive.sum_of(half, name, means).std()), 4) for name in model.scales
    }
    return Reference(tags=tags, scales=scales)


def main(folders: list[str]) -> None:
    """Hear all, write the tables."""
    network = load(MSD)
    heard = {folder: list(pooled_values(network, Path(folder))) for folder in folders}
    tracks = [track for found in heard.values() for track in found]
    made = reference_of(MSD, network, tracks)
    what = ", ".join(
        f"{Path(folder).name} ({len(found)})" for folder, found in heard.items() if found
    )
    head = _HEAD.format(count=len(tracks), what=textwrap.fill(what, 98))
    tags = "".join(f'    "{tag}": {row},\n' for tag, row in made.tags.items())
    scales = "".join(f'    "{name}": {deviation},\n' for name, deviation in made.scales.items())
    _TARGET.write_text(
        f"{head}TAGS = {{\n    # logit: mean, deviation; mean probability\n{tags}}}\n"
        f"SCALES = {{\n    # deviation of the sum\n{scales}}}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
