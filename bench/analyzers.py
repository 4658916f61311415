"""What one more analyzer gives: whole tracks through one process and through two.

Two processes can't do better than the cores they share with the broker, the database and the
services behind them, so it is told what each of these takes a track.
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
from bench.load import scanned
from bench.measuring import compared
from bench.processes import postmaster_pid, tree
from soniquebay.demo.encoding import encode
from tests.e2e.cluster import Cluster, Member, cluster_in

_RATE_HZ = 44_100
_LOOK_EVERY_S = 1.0  # to ask costs what the analyzers could use
_SETTLED_S = 5.0
_WARM = 3
"""Tracks that each analyzer has behind it when the measuring begins ..."""
_MOST = 0.6
"""... and the share of all tracks at which it ends: none has run out of its partitions yet."""
_AS_RUN = {"SONIQUEBAY_RECONCILE_S": "5"}
"""Tests look more often for what stands still than the product does."""
_HANDLED = re.compile(r'^soniquebay_bus_records_handled_total{.*"track.extracted".*} (\S+)', re.M)


@dataclass(frozen=True, slots=True)
class Pace:
    """Tracks a second, and what each took in CPU time, in ms, by the kind of process."""

    tracks_per_s: float
    cpu_ms: Mapping[str, float]


def compare(work: Path, pieces: int, rounds: int) -> None:
    """One analyzer process against two on the same queue, in turn; prints what came of it."""
    music = work / "long"
    _long_pieces(music, pieces, length_s=240)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds):
        for count, found in rates.items():
            with cluster_in(work / f"{turn}-{count}", _AS_RUN) as cluster:
                pace = _pace(cluster, music, count)
            found.append(pace.tracks_per_s)
            told = ", ".join(f"{name} {ms:.0f}" for name, ms in pace.cpu_ms.items())
            print(f"{count} analyzers: {pace.tracks_per_s:.2f} tracks/s; CPU ms a track: {told}")
    row = compared("two analyzers", rates[2], "one", rates[1])
    print(f"two analyzers / one: {row.ratio:.2f} ({row.lowest:.2f}..{row.highest:.2f})")


def _long_pieces(folder: Path, count: int, length_s: float) -> None:
    """Whole tracks in five formats, each with a sound of its own."""
    folder.mkdir()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_long_piece, folder, length_s), range(count)))


def _long_piece(folder: Path, length_s: float, number: int) -> None:
    t = np.arange(round(length_s * _RATE_HZ)) / _RATE_HZ
    crackle = np.random.default_rng(number).standard_normal(len(t))
    beat = (t * (1.6 + 0.01 * number) % 1 < 0.1) * crackle
    sound = 0.15 * np.sin(2 * np.pi * 220 * 2 ** (number % 12 / 12) * t) + 0.1 * beat
    ending = FORMATS[number % len(FORMATS)]
    encode(folder / f"{number:03d}.{ending}", np.stack([sound, sound], axis=1), _RATE_HZ)


def _pace(cluster: Cluster, music: Path, analyzers: int) -> Pace:
    cluster.start()
    cluster.scale("analyzer", 0)
    scanned(cluster, music)
    tracks = cluster.ask("{ status { tracks } }")["status"]["tracks"]
    time.sleep(_SETTLED_S)
    cluster.scale("analyzer", analyzers)
    while not all(_handled(member) >= _WARM for member in cluster.running("analyzer")):
        time.sleep(_LOOK_EVERY_S)
    began = asyncio.run(_analyzed(cluster))
    before = _cpu_s(cluster)
    while len(ended := asyncio.run(_analyzed(cluster))) < _MOST * tracks:
        time.sleep(_LOOK_EVERY_S)
    after = _cpu_s(cluster)
    done = len(ended) - len(began)
    # Analyses are stored by the batch: the slope over all of them, not from one to another.
    slope, _ = np.polyfit(ended[len(began) :], np.arange(done), 1)
    return Pace(float(slope), {name: 1_000 * (after[name] - before[name]) / done for name in after})


def _handled(member: Member) -> float:
    return sum(float(found) for found in _HANDLED.findall(member.probe("/metrics").text))


async def _analyzed(cluster: Cluster) -> list[float]:
    """When each analysis was stored, in s, in order."""
    connection = await asyncpg.connect(**cluster.database.dsn)
    try:
        rows = await connection.fetch("SELECT analyzed_at FROM analyses ORDER BY analyzed_at")
    finally:
        await connection.close()
    return [row["analyzed_at"].timestamp() for row in rows]


def _cpu_s(cluster: Cluster) -> dict[str, float]:
    """CPU time so far by service, of the broker and of the database, all with their children.

    What nobody used of the machine's cores is told too.
    """
    database = postmaster_pid(cluster.folder / "postgres")
    cores = Path("/proc/stat").read_text().split(maxsplit=5)
    found = {
        "nobody": int(cores[4]) / os.sysconf("SC_CLK_TCK"),
        "broker": _tree_cpu_s(cluster.broker.pid),
        "database": _tree_cpu_s(database),
    }
    for member in cluster.running():
        found[member.service] = found.get(member.service, 0.0) + _tree_cpu_s(member.pid)
    return found


def _tree_cpu_s(pid: int) -> float:
    return sum(map(_process_cpu_s, tree(pid)))


def _process_cpu_s(pid: int) -> float:
    """User and system time, those of its ended children included (proc(5), stat)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")
