"""Each service as a standalone process: its probes while its servers are missing, and its end.

With all that it needs: tests/e2e/test_cluster.py.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import SERVICES, Member, eventually
from tests.engines import kafka
from tests.fetch_debian import NotFetched

NOBODY = "127.0.0.1:1"
LACKS = {
    "api": ("waiting: the database cannot be reached"),
    "extractor": (f"waiting: Kafka at {NOBODY}",),
    "analyzer": (f"the gateway at http://{NOBODY} is out of reach",),
    "vectorizer": (f"the gateway at http://{NOBODY} is out of reach",),
    "indexer": (f"the gateway at http://{NOBODY} is out of reach",),
}


def environment(folder: Path, **changes: str) -> dict[str, str]:
    settings = {
        "BUS": "kafka",
        "KAFKA_SERVERS": NOBODY,
        "GATEWAY_URL": f"http://{NOBODY}",
        "DATABASE_URL": f"postgresql://me@{NOBODY}/music",
        "DATA_DIR": str(folder),
        "LOG_LEVEL": "info",
        **changes,
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SONIQUEBAY_")}
    return kept | {f"SONIQUEBAY_{name}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Member]]:
    """One process of each service, without the servers that they need."""
    folder = tmp_path_factory.mktemp("standalone")
    made = {name: Member(name, environment(folder), folder / f"{name}.log") for name in SERVICES}
    for member in made.values():
        member.start()
    yield made
    for member in made.values():
        member.kill()


@pytest.mark.parametrize("service", SERVICES)
def test_it_waits_for_missing_servers_reports_them_and_exits_with_0_at_sigterm(
    members: dict[str, Member], service: str
) -> None:
    member = members[service]
    eventually(member.answers, member.last_words)

    def lacks() -> bool:
        answer = member.probe("/readyz")
        assert answer.status_code == 503
        return all(words in answer.text for words in LACKS[service])

    eventually(lacks, lambda: member.probe("/readyz").text)
    assert member.probe("/healthz").text == "alive"
    assert "process_resident_memory_bytes" in member.probe("/metrics").text
    assert member.probe("/asyncapi").json()["info"]["title"] == f"SoniqueBay {service}"
    assert member.stop() == 0, member.last_words()
    assert {"event", "level", "service", "timestamp"} <= member.logged()[-1].keys()


def run(service: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"services.{service}"], env=variables, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"BUS": "in_process"}, ["SONIQUEBAY_BUS=kafka", "SONIQUEBAY_KAFKA_SERVERS", "soniquebay up"]),
     ({"BUS": "rabbit", "RECONCILE_S": "0"}, ["SONIQUEBAY_BUS: ", "SONIQUEBAY_RECONCILE_S: "])],
)  # fmt: skip
def test_invalid_settings_are_named(
    tmp_path: Path, changes: dict[str, str], named: list[str]
) -> None:
    done = run("indexer", environment(tmp_path, **changes))
    assert done.returncode == 2
    assert all(name in done.stderr for name in named), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("service", ["analyzer", "api"])
def test_a_port_in_use_is_named(tmp_path: Path, service: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        variables = environment(tmp_path, HEALTH_PORT=str(taken.getsockname()[1]))
        done = run(service, variables)
    assert done.returncode == 1
    assert "SONIQUEBAY_HEALTH_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_required_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.analyzer", "--help"], text=True, capture_output=True,
        check=True,
    )  # fmt: skip
    assert "SONIQUEBAY_GATEWAY_URL" in done.stdout
    assert "SONIQUEBAY_SERVICE_TOKEN" in done.stdout


def test_it_starts_when_the_broker_is_up(tmp_path: Path) -> None:
    try:
        jars = kafka.fetch()
    except NotFetched as error:
        pytest.skip(f"Apache Kafka is not available here: {error}")
    broker = kafka.server(jars, tmp_path / "kafka")
    variables = environment(tmp_path, KAFKA_SERVERS=broker.address)
    member = Member("extractor", variables, tmp_path / "extractor.log")
    member.start()
    try:
        eventually(lambda: member.answers() and "Kafka" in member.probe("/readyz").text)
        broker.start()
        # It has started; only the gateway is missing now.
        eventually(lambda: "the gateway at" in member.probe("/readyz").text, member.last_words)
        assert member.stop() == 0, member.last_words()
    finally:
        member.kill()
        broker.kill()


_STOPPED_TWICE = """
import asyncio, os, signal
from shared.runtime.service import stop_signals

async def main():
    stopped = stop_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    await stopped
    print("draining", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_second_signal_ends_a_process_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STOPPED_TWICE], text=True, capture_output=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("draining\n", 130)
