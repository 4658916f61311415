"""A cluster on this machine: each service is a process, with a real broker and a real database.

There are no containers; the processes are the same as in the images.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx

from services.api.store.database.embedded import EmbeddedPostgres
from tests.e2e.running import Served
from tests.engines import kafka
from tests.engines.jars import Server, spawn
from tests.engines.ports import free_port

SERVICES = ("api", "extractor", "analyzer", "vectorizer", "indexer")
ADDRESSES = ("/healthz", "/readyz", "/metrics", "/asyncapi")
TOKEN, SERVICE_TOKEN = "a-persons-token", "the-services-token"
_TIMEOUT_S = 120
_END_TIMEOUT_S = 90
_POLL_EVERY_S = 0.1


def eventually(condition: Callable[[], bool], message: Callable[[], str] = str) -> None:
    """Wait until the condition holds; fail with the message if it does not."""
    give_up_s = time.monotonic() + _TIMEOUT_S
    while not condition():
        assert time.monotonic() < give_up_s, message()
        time.sleep(_POLL_EVERY_S)


class Member:
    """A process of a service; after a stop or a kill it can start again on the same ports.

    Args:
        service: the name of the service.
        environment: of the process; the ports are added here.
        log: the file for its output.
    """

    def __init__(self, service: str, environment: Mapping[str, str], log: Path) -> None:
        self.service = service
        self.log = log
        self.port, self.health_port = free_port(), free_port()
        ports = {"SONIQUEBAY_PORT": self.port, "SONIQUEBAY_HEALTH_PORT": self.health_port}
        self._environment = {**environment, **{name: str(port) for name, port in ports.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process; it may not be ready yet."""
        assert not self.is_running, self.service
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", f"services.{self.service}"]
            self._process = spawn(command, out, env=self._environment)

    def wait_until_ready(self) -> None:
        """Wait until it reports that it is ready."""
        eventually(
            lambda: self.answers() and self.probe("/readyz").text == "ready", self.last_words
        )

    def answers(self) -> bool:
        """Whether it answers its health probe yet."""
        assert self.is_running, self.last_words()
        try:
            return self.probe("/healthz").is_success
        except httpx.TransportError:
            return False

    def probe(self, path: str) -> httpx.Response:
        """Its answer on the health port."""
        return httpx.get(f"http://127.0.0.1:{self.health_port}{path}", timeout=10)

    def stop(self) -> int:
        """Send SIGTERM and wait; the exit code."""
        self.terminate()
        return self.wait()

    def terminate(self) -> None:
        """Send SIGTERM without waiting."""
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        try:
            return self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it does not end:\n{self.last_words()}") from None

    def kill(self) -> None:
        """Send SIGKILL, as the memory limit does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def workers(self) -> set[int]:
        """The pids of its child processes."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        return {int(pid) for path in children for pid in path.read_text().split()}

    def last_words(self) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"{self.log}:\n{text[-4000:]}"

    def logged(self) -> list[dict[str, object]]:
        """The structured lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


class Cluster(Served):
    """The processes of all services. Queries and commands use a person's token.

    Args:
        folder: for the logs, and for the search index if it is Tantivy's.
        broker: a running broker.
        database: a running database.
        settings: settings for all services; they override those of this class.
    """

    def __init__(
        self,
        folder: Path,
        *,
        broker: Server,
        database: EmbeddedPostgres,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.broker = broker
        self.database = database
        self.members: dict[str, list[Member]] = {name: [] for name in SERVICES}
        self._settings = {
            "SONIQUEBAY_BUS": "kafka",
            "SONIQUEBAY_KAFKA_SERVERS": broker.address,
            "SONIQUEBAY_DATABASE_URL": database_url(database),
            "SONIQUEBAY_DATA_DIR": str(folder / "data"),
            "SONIQUEBAY_TOKEN": TOKEN,
            "SONIQUEBAY_SERVICE_TOKEN": SERVICE_TOKEN,
            "SONIQUEBAY_LOG_LEVEL": "info",
            "SONIQUEBAY_WORKERS": "1",
            "SONIQUEBAY_READERS": "1",
            "SONIQUEBAY_RECONCILE_S": "1",
            **(settings or {}),
        }
        gateway = self._add("api")
        self.url, self.token = f"http://127.0.0.1:{gateway.port}", TOKEN

    def _add(self, service: str) -> Member:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SONIQUEBAY_")}
        environment = {**kept, **self._settings}
        if service != "api":
            environment["SONIQUEBAY_GATEWAY_URL"] = self.url
            del environment["SONIQUEBAY_TOKEN"]  # people's token: services do not know it
        members = self.members[service]
        member = Member(service, environment, self.folder / f"{service}-{len(members)}.log")
        members.append(member)
        return member

    def start(self) -> None:
        """Start a process of each service that has none, and wait until all are ready."""
        for service in SERVICES:
            if not self.running(service):
                (self.members[service] or [self._add(service)])[0].start()
        for member in self.running():
            member.wait_until_ready()

    def running(self, service: str | None = None) -> list[Member]:
        """The running processes of a service, or of all services."""
        services = [service] if service else SERVICES
        return [m for name in services for m in self.members[name] if m.is_running]

    def scale(self, service: str, count: int) -> None:
        """Start or stop processes of a service until there are `count`; wait for them."""
        for member in self.running(service)[count:]:
            assert member.stop() == 0, member.last_words()
        more = count - len(self.running(service))
        idle = [member for member in self.members[service] if not member.is_running]
        started = [idle[n] if n < len(idle) else self._add(service) for n in range(more)]
        for member in started:
            member.start()
        for member in started:
            member.wait_until_ready()

    def stop(self) -> dict[str, list[int]]:
        """Stop all processes at the same time; the exit codes by service."""
        members = self.running()
        for member in members:
            member.terminate()
        codes: dict[str, list[int]] = {}
        for member in members:
            codes.setdefault(member.service, []).append(member.wait())
        return codes

    def kill(self) -> None:
        """Send SIGKILL to all processes."""
        for member in self.running():
            member.kill()


def database_url(database: EmbeddedPostgres) -> str:
    """The database as SONIQUEBAY_DATABASE_URL names it."""
    dsn = database.dsn
    host = quote(dsn["host"], safe="")
    return f"postgresql://{dsn['user']}@/{dsn['database']}?host={host}"


@contextmanager
def cluster_in(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A cluster with a new broker and a new database below a folder; not started yet.

    Raises:
        NotFetched: the broker is not available here.
    """
    broker = kafka.server(kafka.fetch(), folder / "kafka")
    database = EmbeddedPostgres(folder / "postgres")
    database.start()
    broker.start()
    cluster = Cluster(folder, broker=broker, database=database, settings=settings)
    try:
        yield cluster
    finally:
        cluster.kill()
        broker.kill()
        database.stop()
