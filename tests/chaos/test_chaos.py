"""Under fire: services, broker and database go away at random; nothing is lost, nothing doubled.

`make chaos` runs the long form, 2,000 files; ARGS="--seed 5" another order.
"""

import sys
import time
from pathlib import Path

import pytest

from bench.library import generate
from tests.chaos.analyses import StoredAnalyses
from tests.chaos.disturbing import Disturber
from tests.e2e.cluster import cluster_in
from tests.e2e.running import ANALYSIS, JSON, TAGS, Bay, Served
from tests.engines.kafka import fetch
from tests.fetch_debian import NotFetched

WHOLE = f"contentRevision stage {TAGS} {ANALYSIS} vectors {{ space model dimensions values }}"
COUNTS = "{ status { tracks analyzed vectorized indexed failed pending artists albums genres } }"


def state(served: Served) -> tuple[JSON, dict[str, JSON]]:
    served.wait_until_idle(900)
    return served.ask(COUNTS)["status"], served.tracks(WHOLE)


@pytest.mark.timeout(3_600)
def test_after_all_that_can_go_wrong_the_tables_are_those_of_an_undisturbed_run(
    tmp_path: Path, thorough: bool, request: pytest.FixtureRequest
) -> None:
    try:
        fetch()
    except NotFetched as error:
        pytest.skip(f"Apache Kafka cannot be had here: {error}")
    files, kills, outage_s = (2_000, 5, 20.0) if thorough else (250, 1, 3.0)
    music = tmp_path / "music"
    generate(music, files, seed=11)
    calm = Bay(tmp_path / "calm")
    with calm.serving("--music", str(music)):
        truth = state(calm)

    with cluster_in(tmp_path / "cluster") as cluster:
        cluster.start()
        began_s = time.monotonic()
        cluster.json("scan", str(music))
        disturber = Disturber(cluster, request.config.getoption("--seed"), kills, outage_s)
        analyses = StoredAnalyses(cluster)
        disturber.disturb(analyses.look)
        lasted_s = time.monotonic() - began_s
        found = state(cluster)
        failures = cluster.json("failures")
        analyses.look()
        whole_s = time.monotonic() - began_s
        assert all(codes == [0] * len(codes) for codes in cluster.stop().values())

    lines = [
        *disturber.told,
        f"{files} files: disturbed for {lasted_s:.0f} s, all done after {whole_s:.0f} s;"
        f" analyses stored again: {analyses.again}",
    ]
    sys.stderr.write("\n".join(["", *lines, ""]))
    assert failures == []
    assert found[0] == truth[0]
    assert found[1].keys() == truth[1].keys()
    for path, track in truth[1].items():
        assert found[1][path] == track, path
