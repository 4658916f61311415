"""Renders the demo pieces into a folder of tagged music files with covers."""

import io
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from soniquebay.demo.encoding import encode
from soniquebay.demo.loudness import integrated_lufs
from soniquebay.demo.pieces import DEMO_TRACKS, DemoTrack
from soniquebay.demo.synthesis import SAMPLE_RATE_HZ, synthesize
from soniquebay.demo.tagging import write_tags

_VERSION = "1"  # raise it when rendering changes: the tests and `up` keep what is rendered
_MARKER = ".rendered"
_CEILING = 0.98
_COVER_PIXELS = 400


def render_demo(
    folder: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[DemoTrack, ...]:
    """Render the demo library into a folder, unless it is there already.

    Args:
        folder: created if it is missing.
        progress: called with the number of finished pieces and of all pieces.
    """
    marker = folder / _MARKER
    if marker.exists() and marker.read_text() == _VERSION:
        return DEMO_TRACKS
    for number, track in enumerate(DEMO_TRACKS, start=1):
        path = folder / track.path
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(path, at_loudness(synthesize(track), track.loudness_lufs), SAMPLE_RATE_HZ)
        write_tags(path, track, cover_image(track.album) if track.has_embedded_cover else None)
        if progress is not None:
            progress(number, len(DEMO_TRACKS))
    (folder / "Ines Vale/Slow Harbour/cover.jpg").write_bytes(cover_image("Slow Harbour"))
    (folder / "Various Artists/Bay Sampler/Folder.JPG").write_bytes(cover_image("Bay Sampler"))
    (folder / "Ines Vale/artist.jpg").write_bytes(cover_image("Ines Vale"))
    marker.write_text(_VERSION)
    return DEMO_TRACKS


def at_loudness(samples: NDArray[np.float64], target_lufs: float) -> NDArray[np.float64]:
    """Scale a piece to a loudness.

    Peaks that would clip are rounded off; that lowers the loudness, so it is measured again.
    """
    while True:
        gain_db = target_lufs - integrated_lufs(samples, SAMPLE_RATE_HZ)
        samples = samples * 10 ** (gain_db / 20)
        if np.abs(samples).max() <= _CEILING:
            return samples
        samples = _CEILING * np.tanh(samples / _CEILING)


def cover_image(name: str) -> bytes:
    """A JPEG with rings in the colours of a name; the same name gives the same bytes."""
    random = np.random.default_rng(crc32(name.encode()))
    image = Image.new("RGB", (_COVER_PIXELS, _COVER_PIXELS), _colour(random))
    draw = ImageDraw.Draw(image)
    for radius in range(_COVER_PIXELS // 2, 10, -40):
        middle = _COVER_PIXELS // 2
        box = (middle - radius, middle - radius, middle + radius, middle + radius)
        draw.ellipse(box, fill=_colour(random))
    draw.text((16, _COVER_PIXELS - 28), name, fill="white")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(20, 220, 3)
    return int(red), int(green), int(blue)
