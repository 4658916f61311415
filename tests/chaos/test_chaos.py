"""Under fire: services, servers and processes go away at random; nothing is lost, nothing doubled.

`make chaos` runs the long form, 2,000 files; ARGS="--seed 5" another order. Every row of every
table and the answers to searches are compared with those of an undisturbed run in one process.
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
from tests.chaos.disturbing import Act, Disturber, in_some_order
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
    """How much is done: files, kills of each process, and how long servers are away."""

    files: int
    kills: int
    outage_s: float
    is_long: bool = False


@dataclass(frozen=True)
class Library:
    """What there is in the end."""

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
    """All of it, once all is done. Vectors are told apart: a model's last bits may differ."""
    eventually(lambda: served.command("status").returncode == 0)  # its database may just start
    served.wait_until_idle(900)
    return Library(
        rows=tables(dsn, without=("embedding",)),
        found={told: served.ask(COUNT, text=told)["search"]["totalCount"] for told in SEARCHES},
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


def tell(disturber: Disturber, analyses: StoredAnalyses, whole_s: float, size: Size) -> None:
    """Print what happened; in the long form most acts must have met a library at work."""
    lines = [
        *disturber.told,
        f"{disturber.files} files, all done after {whole_s:.0f} s; {len(disturber.told)} acts,"
        f" of which {len(disturber.late)} came after the last analysis; analyses stored again:"
        f" {analyses.again} (stored, but killed or cut off before their batch was committed)",
    ]
    sys.stderr.write("\n".join(["", *lines, ""]))
    if size.is_long:  # a quick machine may be through with the few files of the short one
        assert len(disturber.late) <= len(disturber.told) // 4, "it was all over too soon"
        assert not [name for name in disturber.late if not name.startswith("kill")], disturber.late


@pytest.mark.timeout(3_600)
def test_a_cluster_that_everything_happens_to_ends_as_one_process_left_alone(
    tmp_path: Path, size: Size, seed: int
) -> None:
    """Ollama is absent all the while; when it comes back, texts get their vectors after all."""
    try:
        kafka.fetch()
        node = opensearch.node(opensearch.fetch(), tmp_path / "opensearch")
        parts = ollama.fetch()
    except NotFetched as error:
        pytest.skip(f"a server cannot be had here: {error}")
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
        calm = Bay(tmp_path / "calm", settings)
        with calm.serving("--music", str(music)):
            truth = library(calm, EmbeddedPostgres(calm.data / "postgres").dsn)

        node.start()
        stack.callback(node.kill)
        settings |= {"SONIQUEBAY_SEARCH": "opensearch", "SONIQUEBAY_OPENSEARCH_URL": node.url}
        cluster = stack.enter_context(cluster_in(tmp_path / "cluster", settings))
        cluster.start()  # a vectorizer is ready only once it has met its model
        embeds.stop()
        began_s = time.monotonic()
        cluster.json("scan", str(music))
        disturber = Disturber(cluster, size.files)
        analyses = StoredAnalyses(database_url(cluster.database))
        disturber.disturb(_to_a_cluster(cluster, node, size, seed), analyses.look)
        embeds.start()
        found = library(cluster, database_url(cluster.database))
        analyses.look()
        tell(disturber, analyses, time.monotonic() - began_s, size)
        assert all(codes == [0] * len(codes) for codes in cluster.stop().values())
    check_equal(found, truth)


def _to_a_cluster(cluster: Cluster, node: opensearch.Node, size: Size, seed: int) -> list[Act]:
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

    kills: list[Act] = [
        (f"kill -9 {service}", lambda service=service: kill(service))  # type: ignore[misc] # the default binds it
        for service in SERVICES
        for _ in range(size.kills)
    ]
    outages: list[Act] = [
        ("the broker goes away, by kill -9", lose_broker),
        ("stop the database", lose_database),
    ]
    chance.shuffle(outages)
    # Without OpenSearch the analyses go on: it is the last to go away.
    acts = in_some_order(chance, kills, [*outages, ("stop OpenSearch", lose_index)])
    # Rebalances while busy: more analyzers early, fewer again later.
    acts.insert(len(acts) // 4, ("3 analyzers", lambda: cluster.scale("analyzer", 3)))
    acts.insert(len(acts) // 2, ("2 analyzers", lambda: cluster.scale("analyzer", 2)))
    return acts


@pytest.mark.timeout(3_600)
def test_one_process_that_everything_happens_to_ends_as_one_left_alone(
    tmp_path: Path, size: Size, seed: int
) -> None:
    music = tmp_path / "music"
    generate(music, size.files, seed=12)
    calm, harried = Bay(tmp_path / "calm"), Bay(tmp_path / "harried")
    with calm.serving("--music", str(music)):
        truth = library(calm, EmbeddedPostgres(calm.data / "postgres").dsn)
    database = EmbeddedPostgres(harried.data / "postgres")
    analyses = StoredAnalyses(database.dsn)
    chance = random.Random(seed)
    began_s = time.monotonic()
    with ExitStack() as stack:
        process = [stack.enter_context(harried.serving("--music", str(music)))]
        disturber = Disturber(harried, size.files)

        def start_again() -> None:
            os.killpg(process[0].pid, signal.SIGKILL)
            process[0].wait()
            stack.close()
            process[0] = stack.enter_context(harried.serving("--music", str(music)))

        def lose_a_worker() -> None:
            eventually(lambda: bool(_workers(process[0].pid)))
            os.kill(chance.choice(_workers(process[0].pid)), signal.SIGKILL)

        def hang() -> None:
            server = [_postmaster(harried), *_children(_postmaster(harried))]
            for pid in server:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(size.outage_s)
            for pid in server:
                os.kill(pid, signal.SIGCONT)

        kills: list[Act] = [
            *[("kill -9 of it all", start_again)] * size.kills,
            *[("kill -9 a worker process", lose_a_worker)] * size.kills,
            ("kill -9 the database", lambda: os.kill(_postmaster(harried), signal.SIGKILL)),
            ("stop the database", lambda: os.kill(_postmaster(harried), signal.SIGINT)),
        ]
        acts = in_some_order(chance, kills, [("the database hangs", hang)])
        disturber.disturb(acts, analyses.look)
        found = library(harried, database.dsn)
        analyses.look()
        tell(disturber, analyses, time.monotonic() - began_s, size)
    check_equal(found, truth)


def _postmaster(bay: Bay) -> int:
    """The database's process; the product may just be starting it again."""
    told = bay.data / "postgres" / "postmaster.pid"
    eventually(told.exists)
    return int(told.read_text().split()[0])


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def _workers(pid: int) -> list[int]:
    """Those of its children that read or analyse; not the one that only tidies up after them."""
    return [
        child
        for child in _children(pid)
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
