"""What can go wrong while a library is worked through, in a random order that a seed repeats."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.e2e.cluster import SERVICES, Cluster

_PAUSE_S = (0.5, 4.0)
_DOWN_S = 3.0
ANALYZERS = (3, 2)


@dataclass
class Disturber:
    """Disturbs a cluster.

    Attributes:
        cluster: a running one, one process of each service.
        seed: the same seed, the same order and pauses.
        kills: how often each service is killed.
        outage_s: how long the database is away.
        told: what was done, and how long after the beginning.
    """

    cluster: Cluster
    seed: int
    kills: int
    outage_s: float
    told: list[str] = field(default_factory=list)

    def disturb(self, watch: Callable[[], None]) -> None:
        """Do all of it, with pauses; `watch` is called after each."""
        chance = random.Random(self.seed)
        acts: list[tuple[str, Callable[[], None]]] = [
            (f"kill -9 {service}", lambda service=service: self._kill(service, chance))  # type: ignore[misc] # the default binds it
            for service in SERVICES
            for _ in range(self.kills)
        ]
        acts += [("kill -9 the broker", self._broker), ("stop the database", self._database)]
        chance.shuffle(acts)
        # Rebalances while busy: more analyzers early, fewer again later.
        for place, count in zip((len(acts) // 4, len(acts) // 2), ANALYZERS, strict=True):
            acts.insert(
                place,
                (f"{count} analyzers", lambda count=count: self.cluster.scale("analyzer", count)),  # type: ignore[misc] # the default binds it
            )
        began_s = time.monotonic()
        for name, act in acts:
            time.sleep(chance.uniform(*_PAUSE_S))
            self.told.append(f"{time.monotonic() - began_s:6.1f} s  {name}")
            act()
            watch()

    def _kill(self, service: str, chance: random.Random) -> None:
        member = chance.choice(self.cluster.running(service))
        member.kill()
        member.start()

    def _broker(self) -> None:
        self.cluster.broker.kill()
        time.sleep(_DOWN_S)
        self.cluster.broker.start()

    def _database(self) -> None:
        self.cluster.database.stop()
        time.sleep(self.outage_s)
        self.cluster.database.start()
