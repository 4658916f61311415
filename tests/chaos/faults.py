"""Injects faults while a library is processed, in a random order that a seed repeats.

Faults are spread over the work, not over time: each waits until its share of the tracks is
analysed, so that all of them hit a library that is not done.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from tests.e2e.running import Served

_LAST_FAULT_SHARE = 0.7
"""The share of the tracks that is analysed at the last fault."""
_LONGEST_WAIT_S = 20.0
_LOOK_EVERY_S = 0.2

Fault = tuple[str, Callable[[], None]]
"""The name of a fault, and the function that causes it."""


@dataclass
class FaultInjector:
    """Causes faults while a library is processed.

    Attributes:
        served: the gateway that reports the progress.
        files: the number of files.
        log: a line for each fault: seconds since the start, tracks analysed, name.
        late: the faults that came when all tracks were analysed; they prove little.
    """

    served: Served
    files: int
    log: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    _done: int = 0

    def inject(self, faults: Sequence[Fault], watch: Callable[[], None]) -> None:
        """Cause all faults in turn; `watch` is called all the while."""
        began_s = time.monotonic()
        for number, (name, cause) in enumerate(faults, 1):
            self._wait_for(round(_LAST_FAULT_SHARE * self.files * number / len(faults)), watch)
            if self._done >= self.files:
                self.late.append(name)
            at_s = time.monotonic() - began_s
            self.log.append(f"{at_s:6.1f} s  {self._done:5} of {self.files} analysed: {name}")
            cause()
            watch()

    def _wait_for(self, count: int, watch: Callable[[], None]) -> None:
        """Wait until so many tracks are analysed, or for 20 s: a fault may stop all progress."""
        give_up_s = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < give_up_s:
            watch()
            try:
                self._done = self.served.ask("{ status { analyzed } }")["status"]["analyzed"]
            except (httpx.HTTPError, ValueError, AssertionError):
                pass  # it was just killed, or its database is down
            else:
                if self._done >= count:
                    return
            time.sleep(_LOOK_EVERY_S)


def shuffled(
    chance: random.Random, kills: Sequence[Fault], outages: Sequence[Fault]
) -> list[Fault]:
    """The kills in random order, with the outages among their first half, in the order given.

    Long outages must come early, while there is still work left that they can interrupt.
    """
    faults = chance.sample(kills, len(kills))
    early = max(len(faults) // 2, len(outages))
    places = sorted(chance.sample(range(early), len(outages)))
    for inserted, (place, outage) in enumerate(zip(places, outages, strict=True)):
        faults.insert(place + inserted, outage)
    return faults
