"""A tool: derives `descriptor_reference.py` from the tracks of a running gateway.

    python -m services.vectorizer.make_descriptor_reference http://127.0.0.1:8707 [TOKEN]

Run it on varied music after a change of the analysis. It changes the version of the descriptor, so
every library without a trained model then gets new audio vectors. The service does not import it.
"""

import asyncio
import sys
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from services.vectorizer.descriptor import NAMES, measured_values
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.gateway.vectorization import measures

_SILENCE_LUFS = -69.0  # silence is not music: its zeros would widen every deviation
_TARGET = Path(__file__).with_name("descriptor_reference.py")
_HEADER = '''"""Mean and standard deviation of each of the descriptor's values over reference music.

Made by `make_descriptor_reference.py`, not by hand, from {count} tracks:
{source}.
"""

STATISTICS: dict[str, tuple[float, float]] = {{
'''


def statistics(rows: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation by name.

    Args:
        rows: values of tracks, (n, 62); NaN is ignored.
    """
    means, deviations = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    # A value that never varied carries no information: divided by a large deviation, it is 0.
    deviations = np.where(deviations > 1e-6, deviations, 1e6)
    return {
        name: (round(float(mean), 4), round(float(deviation), 4))
        for name, mean, deviation in zip(NAMES, means, deviations, strict=True)
    }


def module_text(table: dict[str, tuple[float, float]], *, count: int, source: str) -> str:
    """The source text of `descriptor_reference.py`.

    Args:
        table: mean and standard deviation by name.
        count: of the tracks.
        source: which music it was.
    """
    lines = [f'    "{name}": {statistic},\n' for name, statistic in table.items()]
    return _HEADER.format(count=count, source=source) + "".join(lines) + "}\n"


async def _fetch_values(url: str, token: str) -> NDArray[np.float64]:
    """The values of all tracks of a gateway that are not silent, (n, 62)."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        rows = [
            measured_values(analysis)
            async for analysis in measures(Gateway(HttpTransport(client)))
            if analysis.loudness_lufs > _SILENCE_LUFS
        ]
    return np.asarray(rows)


def main(arguments: list[str]) -> None:
    """Write `descriptor_reference.py`."""
    if not arguments:
        sys.exit(__doc__)
    url, token = [*arguments, ""][:2]
    rows = asyncio.run(_fetch_values(url, token))
    source = "Debian's wesnoth-1.16-music and the demo library"
    _TARGET.write_text(module_text(statistics(rows), count=len(rows), source=source))


if __name__ == "__main__":
    main(sys.argv[1:])
