"""What can go wrong while a library is worked through: in a random order that a seed repeats.

Acts are spread over the work, not over time: each waits until its share of the tracks is analysed,
so that all of them hit a library that is not done.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from tests.e2e.running import Served

_LAST_AT = 0.7
"""The share of the tracks that is analysed when the last act comes."""
_LONGEST_WAIT_S = 20.0
_LOOK_EVERY_S = 0.2

Act = tuple[str, Callable[[], None]]
"""What it is called, and what it does."""


@dataclass
class Disturber:
    """Disturbs a library at work.

    Attributes:
        served: where it is asked how far it is.
        files: how many there are.
        told: what was done: seconds from the beginning, tracks analysed by then, name.
        late: the acts that came when all tracks were analysed; they prove little.
    """

    served: Served
    files: int
    told: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    _done: int = 0

    def disturb(self, acts: Sequence[Act], watch: Callable[[], None]) -> None:
        """Do all of it; `watch` is called all the while."""
        began_s = time.monotonic()
        for number, (name, act) in enumerate(acts, 1):
            self._wait_for(round(_LAST_AT * self.files * number / len(acts)), watch)
            if self._done >= self.files:
                self.late.append(name)
            at_s = time.monotonic() - began_s
            self.told.append(f"{at_s:6.1f} s  {self._done:5} of {self.files} analysed: {name}")
            act()
            watch()

    def _wait_for(self, count: int, watch: Callable[[], None]) -> None:
        """Wait until so many tracks are analysed; not for ever, for they may all wait."""
        give_up_s = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < give_up_s:
            watch()
            try:
                self._done = self.served.ask("{ status { analyzed } }")["status"]["analyzed"]
            except (httpx.HTTPError, ValueError, AssertionError):
                pass  # it is just being killed, or its database is away
            else:
                if self._done >= count:
                    return
            time.sleep(_LOOK_EVERY_S)


def in_some_order(chance: random.Random, kills: Sequence[Act], outages: Sequence[Act]) -> list[Act]:
    """The acts: kills shuffled, and among their first half the outages, in the order given.

    What goes away for long must go away early: while it is missed, the rest of the work goes on.
    """
    acts = chance.sample(kills, len(kills))
    early = max(len(acts) // 2, len(outages))
    places = sorted(chance.sample(range(early), len(outages)))
    for further, (place, outage) in enumerate(zip(places, outages, strict=True)):
        acts.insert(place + further, outage)
    return acts
