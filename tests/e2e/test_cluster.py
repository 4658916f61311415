"""The five services as processes, with a real broker and a real database."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from tests.e2e.cluster import ADDRESSES, SERVICES, Cluster, cluster_in, eventually
from tests.e2e.running import ANALYSIS, TAGS, Bay, Served
from tests.engines.kafka import fetch
from tests.fetch_debian import NotFetched

WHOLE = f"contentRevision stage {TAGS} {ANALYSIS} vectors {{ space model dimensions values }}"
COUNTS = "{ status { tracks analyzed vectorized indexed failed pending artists albums genres } }"
OF_SCANS = ("--topic", "scan.requested")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, demo_music: Path) -> Iterator[Cluster]:
    """The demo library, scanned by a cluster of one process each."""
    try:
        fetch()
    except NotFetched as error:
        pytest.skip(f"Apache Kafka is not available here: {error}")
    with cluster_in(tmp_path_factory.mktemp("cluster")) as started:
        started.start()
        started.json("scan", str(demo_music))
        started.wait_until_idle()
        yield started


async def publish(servers: str, topic: str, value: bytes) -> None:
    """Publish as any Kafka client does."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, value, key=b"me")


def search(served: Served) -> dict[str, set[str]]:
    """The paths of the hits, by query."""
    words = ("larkspur", "ines vale", "smal waltzes", "tidal clo")
    return {text: {hit["path"] for hit in served.json("search", text)} for text in words}


def test_a_cluster_makes_the_same_library_as_one_process(
    cluster: Cluster, tmp_path: Path, demo_music: Path
) -> None:
    bay = Bay(tmp_path / "data")
    with bay.serving("--music", str(demo_music)):
        bay.wait_until_idle()
        counts, tracks, hits = bay.ask(COUNTS), bay.tracks(WHOLE), search(bay)
    assert len(tracks) == 24
    assert cluster.ask(COUNTS) == counts
    assert cluster.tracks(WHOLE) == tracks
    assert all(hits.values())
    assert search(cluster) == hits


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_on_its_health_port(cluster: Cluster, service: str) -> None:
    (member,) = cluster.running(service)
    answers = {path: member.probe(path) for path in ADDRESSES}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        ADDRESSES, 200
    )
    assert "soniquebay_bus_records_handled_total{" in answers["/metrics"].text
    assert answers["/asyncapi"].json()["asyncapi"].startswith("3.")


def test_a_malformed_record_is_listed_and_replayed_by_its_topic(cluster: Cluster) -> None:
    asyncio.run(publish(cluster.broker.address, "scan.requested", b"{not json"))

    def failed() -> list[dict[str, str]]:
        found: list[dict[str, str]] = cluster.json("failures", *OF_SCANS)
        return found

    eventually(lambda: bool(failed()))
    (before,) = failed()
    assert (before["kind"], before["stage"]) == ("invalid", "extractor.walk")
    assert cluster.json("failures", "--topic", "file.found") == []
    assert cluster.json("replay", *OF_SCANS, "--kind", "bug") == {"replayed": 0}
    assert cluster.json("replay", *OF_SCANS) == {"replayed": 1}
    eventually(lambda: [one["failed_at"] > before["failed_at"] for one in failed()] == [True])


def test_the_worker_processes_of_a_killed_service_end(cluster: Cluster) -> None:
    (analyzer,) = cluster.running("analyzer")
    workers = analyzer.workers()
    assert workers
    analyzer.kill()
    eventually(lambda: not any(_is_alive(pid) for pid in workers))
    cluster.start()


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_all_services_drain_at_sigterm_and_exit_with_0(cluster: Cluster) -> None:
    cluster.scale("api", 2)
    cluster.scale("analyzer", 2)
    expected = {name: [0, 0] if name in {"api", "analyzer"} else [0] for name in SERVICES}
    assert cluster.stop() == expected
