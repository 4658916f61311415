"""Makes `reference.py` from the tracks of a running gateway.

    python -m services.vectorizer.reference_music http://127.0.0.1:8707 [TOKEN]

Run it on music that is varied, after a change of the analysis. The version of the audio vectors
changes with it, so every library gets new vectors.
"""

import asyncio
import sys
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from services.vectorizer.audio_vector import NAMES, descriptor
from shared.gateway.client import Gateway
from shared.gateway.vectors import analyses

_SILENCE_LUFS = -69.0  # silence is no music: its zeros would widen every deviation
_TARGET = Path(__file__).with_name("reference.py")
_HEAD = '''"""Mean and deviation of each measured value over reference music.

Made by `reference_music.py`, not by hand, from {count} tracks:
{what}.
"""

STATISTICS: dict[str, tuple[float, float]] = {{
'''


def statistics(rows: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Mean and deviation by name; `rows` are descriptors, shape (n, 62), NaN passed over."""
    means, deviations = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    # A value that never varied tells nothing; a large deviation keeps it from telling anything.
    deviations = np.where(deviations > 1e-6, deviations, 1e6)
    return {
        name: (round(float(mean), 4), round(float(deviation), 4))
        for name, mean, deviation in zip(NAMES, means, deviations, strict=True)
    }


def page(found: dict[str, tuple[float, float]], *, count: int, what: str) -> str:
    """The text of `reference.py`."""
    lines = [f'    "{name}": {told},\n' for name, told in found.items()]
    return _HEAD.format(count=count, what=what) + "".join(lines) + "}\n"


async def _measure(url: str, token: str) -> NDArray[np.float64]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        found = [each async for each in analyses(Gateway(client))]
    return np.asarray([descriptor(each) for each in found if each["loudnessLufs"] > _SILENCE_LUFS])


def main(arguments: list[str]) -> None:
    """Write `reference.py`."""
    if not arguments:
        sys.exit(__doc__)
    url, token = [*arguments, ""][:2]
    rows = asyncio.run(_measure(url, token))
    what = "Debian's wesnoth-1.16-music and the demo library"
    _TARGET.write_text(page(statistics(rows), count=len(rows), what=what))


if __name__ == "__main__":
    main(sys.argv[1:])
