"""What a second analyzer process gains, for tracks of four minutes.

All processes share this machine's cores, which limits the gain. So the CPU time that each kind of
process takes for a track is printed, too.
"""

import asyncio
import os
import re
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import asyncpg
import numpy as np

from bench.generated_library import FORMATS
from bench.load import scan_and_wait
from bench.measurement import compare_ratios
from bench.processes import postmaster_pid, tree_cpu_s
from soniquebay.demo.encoding import encode
from tests.e2e.cluster import Cluster, Member, cluster_in

_RATE_HZ = 44_100
_POLL_EVERY_S = 1.0  # each poll takes CPU time from the analyzers
_SETTLE_S = 5.0
_WARM_UP_TRACKS = 3
"""The measurement begins once each analyzer has handled so many tracks ..."""
_END_SHARE = 0.6
"""... and ends at this share of all tracks: no analyzer has run out of records by then."""
_SETTINGS = {"SONIQUEBAY_RECONCILE_S": "5"}
"""The product's interval; the tests' cluster has the reconciler run more often."""
_HANDLED = re.compile(r'^soniquebay_bus_records_handled_total{.*"track.extracted".*} (\S+)', re.M)


@dataclass(frozen=True, slots=True)
class Pace:
    """Tracks a second, and the CPU time of a track in ms, by the kind of process."""

    tracks_per_s: float
    cpu_ms: Mapping[str, float]


def compare(work: Path, pieces: int, rounds: int) -> None:
    """Measure one and two analyzer processes in turn, and print the ratio."""
    music = work / "long"
    _long_pieces(music, pieces, length_s=240)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds):
        for count, values in rates.items():
            with cluster_in(work / f"{turn}-{count}", _SETTINGS) as cluster:
                pace = _pace(cluster, music, count)
            values.append(pace.tracks_per_s)
            cpu = ", ".join(f"{name} {ms:.0f}" for name, ms in pace.cpu_ms.items())
            print(f"{count} analyzers: {pace.tracks_per_s:.2f} tracks/s; CPU ms a track: {cpu}")
    row = compare_ratios("two analyzers", rates[2], "one", rates[1])
    print(f"two analyzers / one: {row.ratio:.2f} ({row.lowest:.2f}..{row.highest:.2f})")


def _long_pieces(folder: Path, count: int, length_s: float) -> None:
    """Write tracks in five formats, each with a different sound."""
    folder.mkdir()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_long_piece, folder, length_s), range(count)))


def _long_piece(folder: Path, length_s: float, number: int) -> None:
    t = np.arange(round(length_s * _RATE_HZ)) / _RATE_HZ
    noise = np.random.default_rng(number).standard_normal(len(t))
    beat = (t * (1.6 + 0.01 * number) % 1 < 0.1) * noise
    sound = 0.15 * np.sin(2 * np.pi * 220 * 2 ** (number % 12 / 12) * t) + 0.1 * beat
    ending = FORMATS[number % len(FORMATS)]
    encode(folder / f"{number:03d}.{ending}", np.stack([sound, sound], axis=1), _RATE_HZ)


def _pace(cluster: Cluster, music: Path, analyzers: int) -> Pace:
    cluster.start()
    cluster.scale("analyzer", 0)
    scan_and_wait(cluster, music)
    tracks = cluster.ask("{ status { tracks } }")["status"]["tracks"]
    time.sleep(_SETTLE_S)
    cluster.scale("analyzer", analyzers)
    while not all(_handled(member) >= _WARM_UP_TRACKS for member in cluster.running("analyzer")):
        time.sleep(_POLL_EVERY_S)
    stored_before = asyncio.run(_analyzed_at(cluster))
    before = _cpu_s(cluster)
    while len(stored := asyncio.run(_analyzed_at(cluster))) < _END_SHARE * tracks:
        time.sleep(_POLL_EVERY_S)
    after = _cpu_s(cluster)
    done = len(stored) - len(stored_before)
    # Analyses are stored in batches, so the rate is the slope over all of them.
    slope, _ = np.polyfit(stored[len(stored_before) :], np.arange(done), 1)
    return Pace(float(slope), {name: 1_000 * (after[name] - before[name]) / done for name in after})


def _handled(member: Member) -> float:
    return sum(float(value) for value in _HANDLED.findall(member.probe("/metrics").text))


async def _analyzed_at(cluster: Cluster) -> list[float]:
    """The times at which the analyses were stored, in s, in order."""
    connection = await asyncpg.connect(**cluster.database.dsn)
    try:
        rows = await connection.fetch("SELECT analyzed_at FROM analyses ORDER BY analyzed_at")
    finally:
        await connection.close()
    return [row["analyzed_at"].timestamp() for row in rows]


def _cpu_s(cluster: Cluster) -> dict[str, float]:
    """CPU time so far in s: of each service, the broker and the database; and the idle time."""
    database = postmaster_pid(cluster.folder / "postgres")
    cores = Path("/proc/stat").read_text().split(maxsplit=5)
    cpu_s = {
        "idle": int(cores[4]) / os.sysconf("SC_CLK_TCK"),
        "broker": tree_cpu_s(cluster.broker.pid),
        "database": tree_cpu_s(database),
    }
    for member in cluster.running():
        cpu_s[member.service] = cpu_s.get(member.service, 0.0) + tree_cpu_s(member.pid)
    return cpu_s
