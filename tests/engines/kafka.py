"""A real Apache Kafka: one node, KRaft, on loopback, with its own data folder."""

import subprocess
import sys
from pathlib import Path

from tests.engines.jars import Server, fetch_jars
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched

_JAVA = ("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_CLUSTER = "c29uaXF1ZWJheS10ZXN0cw"  # Kafka wants 16 bytes in base64


def fetch() -> Path:
    """The folder with the broker's jars.

    Raises:
        NotFetched: they cannot be fetched here.
    """
    return fetch_jars("kafka")


def server(jars: Path, folder: Path) -> Server:
    """A broker with new, formatted storage below a folder; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    port, controller = free_port(), free_port()
    properties = folder / "server.properties"
    properties.write_text(_properties(port, controller, folder / "data"))
    subprocess.run(
        [*_command(jars), "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c",
         str(properties)], check=True, capture_output=True,
    )  # fmt: skip
    return Server([*_command(jars), "kafka.Kafka", str(properties)], port, folder / "broker.log")


def fetch_tools() -> Path:
    """The folder with the jars of Kafka's own command-line clients.

    Raises:
        NotFetched: they cannot be fetched here.
    """
    return fetch_jars("kafka-tools")


def produce(tools: Path, address: str, topic: str, lines: str, *options: str) -> None:
    """Publish lines with Kafka's command-line producer; each is `key<TAB>value`."""
    subprocess.run(
        [*_command(tools), "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", address,
         "--topic", topic, "--reader-property", "parse.key=true", *options],
        input=lines, text=True, check=True, capture_output=True,
    )  # fmt: skip


def _command(jars: Path) -> list[str]:
    return [*_JAVA, "-cp", f"{jars}/*"]


def _properties(port: int, controller: int, data: Path) -> str:
    return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# A killed broker that starts again at once must not wait for its old session to expire.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
"""


if __name__ == "__main__":
    try:
        fetch()
        fetch_tools()
    except NotFetched as error:
        sys.exit(f"Apache Kafka could not be fetched: {error}")
