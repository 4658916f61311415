"""The topics that a service consumes and may publish to, as an AsyncAPI 3 document.

FastStream writes the document. Its broker is never connected: docs/adr/0006 explains why the bus
itself uses aiokafka.
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
    """Return the document of a service, in JSON.

    Args:
        name: of the service.
        subscriptions: what it consumes; every topic is listed as one it may publish to.
        servers: the brokers, `host:port` separated by commas, as in the settings.
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
