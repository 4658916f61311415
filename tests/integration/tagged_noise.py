"""Music files of noise, with tags. The same number gives the same sound."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import soundfile

Tags = Mapping[str, str]


def write(path: Path, sound: int, tags: Tags) -> None:
    """Write a file; its title is its name unless the tags have one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(sound).standard_normal(6_000), 44_100)
    retag(path, tags)


def retag(path: Path, tags: Tags) -> None:
    """Replace all tags."""
    file: Any = mutagen.File(path)
    file.delete()
    file.update({"title": path.stem, **tags})
    file.save()
