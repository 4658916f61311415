"""Services, servers and processes fail at random; nothing is lost and nothing is stored twice.

`make chaos` runs the long form with 2,000 files; ARGS="--seed 5" changes the order. Every row of
every table and the results of searches must equal those of an undisturbed run in one process.
"""

import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.generated_library import generate
from services.api.store.database.embedded import EmbeddedPostgres
from tests.chaos.analyses import StoredAnalyses
from tests.chaos.faults import Fault, FaultInjector, shuffled
from tests.e2e.cluster import SERVICES, Cluster, cluster_in, database_url, eventually
from tests.e2e.running import JSON, Bay, Served
from tests.e2e.tables import Tables, differences, tables
from tests.engines import kafka, ollama, opensearch
from tests.fetch_debian import NotFetched

MODEL = "all-minilm"
SEARCHES = (
    "river",
    "golden",
    "ocean",
    "señal",
    "canción",
    "звезда",
    "夜",
    "naive",
    "guest",
    "paper",
)
COUNT = "query Count($text: String!) { search(text: $text, first: 1) { totalCount } }"
VECTORS = "vectors { space model dimensions values }"
_DOWN_S = 3.0


@dataclass(frozen=True)
class Size:
    """The number of files, the kills of each process, and how long servers are down."""

    files: int
    kills: int
    outage_s: float
    is_long: bool = False


@dataclass(frozen=True)
class Library:
    """The final state: rows of all tables, hits by query, vectors by path."""

    rows: Tables
    found: dict[str, int]
    vectors: dict[str, list[JSON]]


@pytest.fixture
def size(thorough: bool) -> Size:
    return Size(2_000, 5, 20.0, is_long=True) if thorough else Size(200, 1, 3.0)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed"))


def library(served: Served, dsn: dict[str, str] | str) -> Library:
    """Wait until all is done; the final state.

    Vectors are not among the rows: two runs of a model may differ in the last bits.
    """
    eventually(lambda: served.command("status").returncode == 0)  # it may still be starting
    served.wait_until_idle(900)
    return Library(
        rows=tables(dsn, without=("embedding",)),
        found={text: served.ask(COUNT, text=text)["search"]["totalCount"] for text in SEARCHES},
        vectors={path: track["vectors"] for path, track in served.tracks(VECTORS).items()},
    )


def check_equal(found: Library, truth: Library) -> None:
    different = differences(truth.rows, found.rows)
    assert not different, "\n".join(different[:20])
    assert found.vectors.keys() == truth.vectors.keys()
    for path, vectors in truth.vectors.items():
        for one, other in zip(vectors, found.vectors[path], strict=True):
            assert (one["space"], one["model"]) == (other["space"], other["model"])
            np.testing.assert_allclose(one["values"], other["values"], atol=1e-3, err_msg=path)
    assert all(truth.found.values())
    assert found.found == truth.found


def print_summary(
    injector: FaultInjector, analyses: StoredAnalyses, whole_s: float, size: Size
) -> None:
    """Print the faults. In the long form, most of them must have come during the work."""
    lines = [
        *injector.log,
        f"{injector.files} files, all done after {whole_s:.0f} s; {len(injector.log)} faults,"
        f" of which {len(injector.late)} came after the last analysis; analyses stored again:"
        f" {analyses.again} (stored, but killed or cut off before their batch was committed)",
    ]
    sys.stderr.write("\n".join(["", *lines, ""]))
    if size.is_long:  # a fast machine may be done with the few files of the short form
        assert len(injector.late) <= len(injector.log) // 4, "too many faults came late"
        assert not [name for name in injector.late if not name.startswith("kill")], injector.late


@pytest.mark.timeout(3_600)
def test_a_cluster_ends_with_the_library_of_one_undisturbed_process(
    tmp_path: Path, size: Size, seed: int
) -> None:
    """Ollama is down until the last fault; then the missing text vectors are computed."""
    try:
        kafka.fetch()
        node = opensearch.node(opensearch.fetch(), tmp_path / "opensearch")
        parts = ollama.fetch()
    except NotFetched as error:
        pytest.skip(f"a server is not available here: {error}")
    music = tmp_path / "music"
    generate(music, size.files, seed=11)
    embeds = ollama.server(parts, tmp_path / "ollama")
    settings = {
        "SONIQUEBAY_EMBEDDER": "ollama",
        "SONIQUEBAY_OLLAMA_URL": embeds.url,
        "SONIQUEBAY_OLLAMA_MODEL": MODEL,
    }
    with ExitStack() as stack:
        embeds.start()
        stack.callback(embeds.kill)
        embeds.add(MODEL, parts.model)
        undisturbed = Bay(tmp_path / "undisturbed", settings)
        with undisturbed.serving("--music", str(music)):
            truth = library(undisturbed, EmbeddedPostgres(undisturbed.data / "postgres").dsn)

        node.start()
        stack.callback(node.kill)
        settings |= {"SONIQUEBAY_SEARCH": "opensearch", "SONIQUEBAY_OPENSEARCH_URL": node.url}
        cluster = stack.enter_context(cluster_in(tmp_path / "cluster", settings))
        cluster.start()  # a vectorizer is ready only after it has reached its model
        embeds.stop()
        began_s = time.monotonic()
        cluster.json("scan", str(music))
        injector = FaultInjector(cluster, size.files)
        analyses = StoredAnalyses(database_url(cluster.database))
        injector.inject(_cluster_faults(cluster, node, size, seed), analyses.look)
        embeds.start()
        found = library(cluster, database_url(cluster.database))
        analyses.look()
        print_summary(injector, analyses, time.monotonic() - began_s, size)
        assert all(codes == [0] * len(codes) for codes in cluster.stop().values())
    check_equal(found, truth)


def _cluster_faults(cluster: Cluster, node: opensearch.Node, size: Size, seed: int) -> list[Fault]:
    chance = random.Random(seed)

    def kill(service: str) -> None:
        member = chance.choice(cluster.running(service))
        member.kill()
        member.start()

    def lose_broker() -> None:
        cluster.broker.kill()
        time.sleep(_DOWN_S)
        cluster.broker.start()

    def lose_database() -> None:
        cluster.database.stop()
        time.sleep(size.outage_s)
        cluster.database.start()

    def lose_index() -> None:
        node.stop()
        time.sleep(size.outage_s)
        node.start()

    kills: list[Fault] = [
        (f"kill -9 {service}", lambda service=service: kill(service))  # type: ignore[misc] # the default binds it
        for service in SERVICES
        for _ in range(size.kills)
    ]
    outages: list[Fault] = [
        ("the broker goes away, by kill -9", lose_broker),
        ("stop the database", lose_database),
    ]
    chance.shuffle(outages)
    # Analyses go on without OpenSearch, so it is the last to stop.
    faults = shuffled(chance, kills, [*outages, ("stop OpenSearch", lose_index)])
    # Rebalances under load: more analyzers early, fewer later.
    faults.insert(len(faults) // 4, ("3 analyzers", lambda: cluster.scale("analyzer", 3)))
    faults.insert(len(faults) // 2, ("2 analyzers", lambda: cluster.scale("analyzer", 2)))
    return faults


@pytest.mark.timeout(3_600)
def test_one_process_ends_with_the_library_of_an_undisturbed_one(
    tmp_path: Path, size: Size, seed: int
) -> None:
    music = tmp_path / "music"
    generate(music, size.files, seed=12)
    undisturbed, disturbed = Bay(tmp_path / "undisturbed"), Bay(tmp_path / "disturbed")
    with undisturbed.serving("--music", str(music)):
        truth = library(undisturbed, EmbeddedPostgres(undisturbed.data / "postgres").dsn)
    database = EmbeddedPostgres(disturbed.data / "postgres")
    analyses = StoredAnalyses(database.dsn)
    chance = random.Random(seed)
    began_s = time.monotonic()
    with ExitStack() as stack:
        process = [stack.enter_context(disturbed.serving("--music", str(music)))]
        injector = FaultInjector(disturbed, size.files)

        def start_again() -> None:
            os.killpg(process[0].pid, signal.SIGKILL)
            process[0].wait()
            stack.close()
            process[0] = stack.enter_context(disturbed.serving("--music", str(music)))

        def lose_a_worker() -> None:
            eventually(lambda: bool(_workers(process[0].pid)))
            os.kill(chance.choice(_workers(process[0].pid)), signal.SIGKILL)

        def hang() -> None:
            server = [_postmaster(disturbed), *_children(_postmaster(disturbed))]
            for pid in server:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(size.outage_s)
            for pid in server:
                os.kill(pid, signal.SIGCONT)

        kills: list[Fault] = [
            *[("kill -9 of it all", start_again)] * size.kills,
            *[("kill -9 a worker process", lose_a_worker)] * size.kills,
            ("kill -9 the database", lambda: os.kill(_postmaster(disturbed), signal.SIGKILL)),
            ("stop the database", lambda: os.kill(_postmaster(disturbed), signal.SIGINT)),
        ]
        faults = shuffled(chance, kills, [("the database hangs", hang)])
        injector.inject(faults, analyses.look)
        found = library(disturbed, database.dsn)
        analyses.look()
        print_summary(injector, analyses, time.monotonic() - began_s, size)
    check_equal(found, truth)


def _postmaster(bay: Bay) -> int:
    """The id of the database's process; waits if the product is starting it again."""
    pid_file = bay.data / "postgres" / "postmaster.pid"
    eventually(pid_file.exists)
    return int(pid_file.read_text().split()[0])


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def _workers(pid: int) -> list[int]:
    """The child processes that read or analyse, without multiprocessing's resource tracker."""
    return [
        child
        for child in _children(pid)
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
