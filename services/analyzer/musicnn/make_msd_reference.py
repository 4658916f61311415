"""A tool: derives `msd_reference.py` from folders of music. The service does not import it.

    python -m services.analyzer.musicnn.make_msd_reference FOLDER...

Run it after a change of patches or scales.

No music at hand represents what the world listens to. But the model's own normalisation holds mean
and standard deviation of each pooled value over the music of its training, 200,000 songs. So the
music at hand only contributes how those values vary together: each value is shifted and scaled to
the mean and deviation of the training, and the model's output for the result is the reference. A
check: the mean probabilities come out as the tags' shares in the data set (rock .20, pop .11, indie
.09, dance .05), though the music used has hardly any of these.
"""

import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.analyzer.decode.decoders import open_audio
from services.analyzer.musicnn import scores
from services.analyzer.musicnn.models import Model, Reference
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.network import Network, logits_of, pooled_of
from services.analyzer.musicnn.patches import log_mel, slices_of
from services.analyzer.musicnn.weights import load
from shared.contracts.errors import InvalidInput

Array = NDArray[np.float32]

_MIN_DURATION_S = 20.0
_TARGET = Path(__file__).with_name("msd_reference.py")
_HEADER = '''"""The model's output for reference music.

Made by `make_msd_reference.py`, which says how, from these {count} tracks:
{folders}.
"""

'''


def pooled_values(network: Network, folder: Path) -> Iterator[Array]:
    """The pooled values, (p, 2, d), of each track below a folder."""
    for path in sorted(folder.rglob("*")):
        try:
            audio = open_audio(os.fsencode(path))
            samples = np.concatenate(
                [block.mean(axis=0, dtype=np.float32) for block in audio.blocks]
            )
        except InvalidInput:
            continue
        if len(samples) >= _MIN_DURATION_S * audio.rate_hz:
            patches = log_mel(slices_of(samples, audio.rate_hz))
            if len(patches):
                yield pooled_of(network, patches)


def as_in_training(network: Network, tracks: list[Array]) -> list[Array]:
    """The pooled values, shifted and scaled to mean and deviation of the training."""
    patches = np.concatenate(tracks)
    deviation = np.maximum(patches.std(axis=0), 1e-6)
    factor = network.pooled_deviation / deviation
    return [network.pooled_mean + (track - patches.mean(axis=0)) * factor for track in tracks]


def reference_of(model: Model, network: Network, tracks: list[Array]) -> Reference:
    """The reference by the pooled values of tracks."""
    logits = [logits_of(network, pooled) for pooled in as_in_training(network, tracks)]
    means = np.stack([track.mean(axis=0) for track in logits])
    shares = np.concatenate([scores.probabilities(track) for track in logits]).mean(axis=0)
    rows = np.stack([means.mean(axis=0), means.std(axis=0), shares], axis=1)
    tags = {
        tag: (round(float(mean), 3), round(float(deviation), 3), round(float(share), 4))
        for tag, (mean, deviation, share) in zip(model.tags, rows, strict=True)
    }
    # The scales are sums of tags that are standardised by the new table already.
    with_tags = replace(model, reference=Reference(tags=tags, scales={}))
    scales = {
        name: round(float(scores.scale_sums(with_tags, name, means).std()), 4)
        for name in model.scales
    }
    return Reference(tags=tags, scales=scales)


def main(folders: list[str]) -> None:
    """Run the model on all tracks, and write the table."""
    network = load(MSD)
    by_folder = {folder: list(pooled_values(network, Path(folder))) for folder in folders}
    tracks = [track for found in by_folder.values() for track in found]
    reference = reference_of(MSD, network, tracks)
    counts = ", ".join(
        f"{Path(folder).name} ({len(found)})" for folder, found in by_folder.items() if found
    )
    header = _HEADER.format(count=len(tracks), folders=textwrap.fill(counts, 98))
    tags = "".join(f'    "{tag}": {row},\n' for tag, row in reference.tags.items())
    scales = "".join(
        f'    "{name}": {deviation},\n' for name, deviation in reference.scales.items()
    )
    _TARGET.write_text(
        f"{header}TAGS = {{\n    # logit: mean, deviation; mean probability\n{tags}}}\n"
        f"SCALES = {{\n    # deviation of the sum\n{scales}}}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
