"""A process that takes a batch, prints its size, and never finishes it, for tests that kill it."""

import asyncio
import sys
from collections.abc import Sequence

from shared.bus.kafka import KafkaBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import Event
from shared.contracts.topics import Stage, Topic


async def _never_end(events: Sequence[Event]) -> Outcome:
    sys.stdout.write(f"took {len(events)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    raise AssertionError


async def main(servers: str, prefix: str) -> None:
    bus = KafkaBus(servers, client="doomed", prefix=prefix)
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, _never_end))
    await bus.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
