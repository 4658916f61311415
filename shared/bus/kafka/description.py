"""What a process consumes and where it goes, as AsyncAPI 3: written by FastStream.

The broker that is described here is never connected: why the bus itself is aiokafka's is told in
docs/adr/0006-kafka-through-aiokafka.md.
"""

from collections.abc import Sequence
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from shared.bus.port import Subscription
from shared.contracts.events import EVENT_OF_TOPIC, EVENTS


def asyncapi(
    name: str, subscriptions: Sequence[Subscription[Any]], servers: str, *, version: str = "1"
) -> str:
    """The document of a service, in JSON.

    Args:
        name: of the service.
        subscriptions: what it consumes; every topic is told as one it may publish to.
        servers: the brokers, `host:port` with commas between, as the settings name them.
        version: of the service.
    """
    broker = KafkaBroker([server.strip() for server in servers.split(",")])
    for each in subscriptions:
        event = EVENT_OF_TOPIC[each.topic]

        async def handle(body: event) -> None:  # type: ignore[valid-type] # FastStream reads it
            """Consume it."""

        broker.subscriber(
            each.topic.value, group_id=f"{each.stage.value}.{each.topic.value}",
            title=f"{each.stage.value}:{each.topic.value}", description=event.__doc__,
        )(handle)  # fmt: skip
    for event in EVENTS:
        broker.publisher(
            event.topic.value, title=event.topic.value, description=event.__doc__, schema=event
        )
    specification = AsyncAPI(broker, title=f"SoniqueBay {name}", version=version)
    return str(specification.to_specification().to_json())
