"""Handles a batch, the same for every adapter: decode, handle, publish, send to dead letters.

When `Dispatcher.handle` returns, the batch may be committed; when it raises, it may not.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Generic, Protocol, TypeVar, cast

import structlog
from tenacity import RetryCallState

from shared.bus.policy import ErrorPolicy, dead_letter, is_retried, isolate, last_error
from shared.bus.port import BusHealth, DeadLetterHandler, E, Outcome, Subscription
from shared.contracts.envelope import (
    DeadLetter,
    Message,
    Record,
    decode_dead_letter,
    event_of,
    record_of,
)
from shared.contracts.events import Event
from shared.contracts.topics import Stage
from shared.runtime import metrics
from shared.runtime.logs import about

T = TypeVar("T")
log = structlog.get_logger()


class Output(Protocol):
    """Takes a dispatcher's results; each adapter has its own."""

    async def emit(self, events: Sequence[Event], source: str) -> None:
        """Publish the events of a handler; `source` is its service."""
        ...

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters, each to its topic's dead-letter topic, without waiting for room."""
        ...


class Pauses:
    """The stages that wait for a dependency, for `health` and the metrics."""

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[str, str]] = {}

    def set(self, who: object, stage: str, message: str) -> None:
        """Note that `who`, a part of `stage`, waits because of `message`."""
        self._waiting[who] = (stage, message)
        metrics.STAGE_PAUSED.labels(stage).set(1)

    def clear(self, who: object) -> None:
        """Note that `who` no longer waits."""
        stage, _ = self._waiting.pop(who, ("", ""))
        if stage and stage not in self.by_stage():
            metrics.STAGE_PAUSED.labels(stage).set(0)

    def is_first(self, who: object, stage: str) -> bool:
        """Whether `who` waits the longest of its stage: the one whose waits are logged."""
        return next((each for each, (s, _) in self._waiting.items() if s == stage), who) is who

    def is_waiting(self, who: object) -> bool:
        """Whether `who` waits for a dependency right now."""
        return who in self._waiting

    def by_stage(self) -> dict[str, str]:
        """Return the stages that wait, with the message of the last error."""
        return dict(self._waiting.values())

    def health(self, *, connected: bool, polling: bool = True) -> BusHealth:
        """Return the state for `Bus.health`."""
        return BusHealth(connected=connected, paused=self.by_stage(), polling=polling)


class Dispatcher(Generic[E]):
    """Has one member's batches handled by its subscription's handler, under the error policy."""

    def __init__(
        self, subscription: Subscription[E], *, policy: ErrorPolicy, output: Output, pauses: Pauses
    ) -> None:
        self._subscription = subscription
        self._stage = subscription.stage.value
        self._source = self._stage.partition(".")[0]
        self._policy = policy
        self._output = output
        self._pauses = pauses
        # Creates the series with 0: Prometheus sees no increase in the first value of a counter.
        metrics.STAGE_PAUSED.labels(self._stage)
        metrics.RECORDS_HANDLED.labels(subscription.topic.value, self._stage)

    async def handle(self, records: Sequence[Message]) -> None:
        """Handle a batch of records of the topic, in order; return when all are settled."""
        labels = (self._subscription.topic.value, self._stage)
        started = time.perf_counter()
        dead: list[DeadLetter] = []
        decoded = self._decode(records, dead)
        if decoded:
            await self._settle(decoded, self._policy.attempts, 1, dead)
        if dead:
            await self._bury(dead)
        metrics.BATCH_DURATION.labels(*labels).observe(time.perf_counter() - started)
        metrics.BATCH_RECORDS.labels(*labels).observe(len(records))
        metrics.RECORDS_HANDLED.labels(*labels).inc(len(records) - len(dead))

    async def give_up(self, record: Record, error: Exception) -> None:
        """Send a record to the dead letters without handling it."""
        await self._bury([dead_letter(record, stage=self._stage, error=error, attempts=1)])

    def _decode(
        self, records: Sequence[Message], dead: list[DeadLetter]
    ) -> Sequence[tuple[E, Message]]:
        decoded: list[tuple[E, Message]] = []
        for record in records:
            try:
                decoded.append((cast(E, event_of(record)), record))
            except Exception as error:
                raw = record_of(record)
                dead.append(dead_letter(raw, stage=self._stage, error=error, attempts=1))
        return decoded

    async def _settle(
        self,
        batch: Sequence[tuple[E, Message]],
        attempts: int,
        tried: int,
        dead: list[DeadLetter],
    ) -> None:
        """Handle the batch; if it fails, handle its halves. `tried` counts its attempts."""
        events = [event for event, _ in batch]
        # A batch of one event names it in all its logs; in a larger one the handler does.
        named = about(events[0]) if len(events) == 1 else nullcontext()
        try:
            with named:
                outcome = await self._persist(lambda: self._subscription.handler(events), attempts)
            if outcome.emit:
                await self._persist(
                    lambda: self._output.emit(outcome.emit, self._source), self._policy.attempts
                )
        except Exception as error:
            if is_retried(error):
                tried += attempts - 1
                attempts = 1  # the halves were part of all these attempts
            if len(batch) == 1:
                record = record_of(batch[0][1])
                dead.append(dead_letter(record, stage=self._stage, error=error, attempts=tried))
                return
            log.warning("batch_isolated", stage=self._stage, records=len(batch), error=repr(error))
            for half in isolate(batch):
                await self._settle(half, attempts, tried + 1, dead)
        else:
            again = self._reject(batch, outcome, tried, dead, may_retry=attempts > 1)
            self._log_handled(events)
            if again:
                self._note_retry(f"{len(again)} events failed for a reason that may pass")
                await asyncio.sleep(self._policy.retry_delay_s(tried))
                await self._settle(again, attempts - 1, tried + 1, dead)

    def _log_handled(self, events: Sequence[E]) -> None:
        bound = log.bind(topic=self._subscription.topic.value, stage=self._stage)
        if bound.is_enabled_for(logging.DEBUG):
            for event in events:
                bound.debug("handled", event_id=event.event_id, key=event.key)

    def _reject(
        self,
        batch: Sequence[tuple[E, Message]],
        outcome: Outcome,
        tried: int,
        dead: list[DeadLetter],
        *,
        may_retry: bool,
    ) -> Sequence[tuple[E, Message]]:
        """Make dead letters of what the handler rejected; return what is to be tried again."""
        if not outcome.rejected:
            return ()
        records: dict[Event, Message] = dict(batch)
        again: set[Event] = set()
        for rejected in outcome.rejected:
            message = records.get(rejected.event)
            if may_retry and message and is_retried(rejected.error):
                again.add(rejected.event)
                continue
            record = record_of(message) if message else _bare(rejected.event)
            dead.append(
                dead_letter(record, stage=self._stage, error=rejected.error, attempts=tried)
            )
        return [pair for pair in batch if pair[0] in again]

    async def _bury(self, dead: Sequence[DeadLetter]) -> None:
        for letter in dead:
            log.warning(
                "dead_letter",
                topic=letter.record.topic,
                stage=letter.stage,
                kind=letter.kind.value,
                event_id=letter.record.headers.get("ce_id", b"").decode(errors="replace"),
                key=letter.record.key.decode(errors="replace"),
                error=letter.message,
                attempts=letter.attempts,
            )
        await self._persist(lambda: self._output.bury(dead), self._policy.attempts)
        for letter in dead:
            metrics.RECORDS_DEAD.labels(letter.record.topic, letter.stage, letter.kind.value).inc()

    async def _persist(self, call: Callable[[], Awaitable[T]], attempts: int) -> T:
        """Make the call; wait while a dependency is down, and retry transient errors."""

        async def attempt() -> T:
            return await call()

        async def once() -> T:
            try:
                return await self._policy.waiting(self._pause)(attempt)
            finally:
                self._pauses.clear(self)

        return await self._policy.retrying(attempts, self._count_retry)(once)

    def _pause(self, state: RetryCallState) -> None:
        error = str(last_error(state))
        self._pauses.set(self, self._stage, error)
        if self._pauses.is_first(self, self._stage):
            log.warning("stage_waits", stage=self._stage, error=error, times=state.attempt_number)

    def _count_retry(self, state: RetryCallState) -> None:
        self._note_retry(str(last_error(state)))

    def _note_retry(self, error: str) -> None:
        topic = self._subscription.topic.value
        metrics.BATCHES_RETRIED.labels(topic, self._stage).inc()
        log.info("batch_retried", topic=topic, stage=self._stage, error=error)


def _bare(event: Event) -> Record:
    """Return a record, without headers, for an event that is not one of the batch."""
    return Record(event.topic.value, event.key.encode(), event.model_dump_json().encode())


class DeadLetterDispatcher:
    """Hands dead letters to their handler, again and again until it succeeds."""

    def __init__(
        self, stage: Stage, handler: DeadLetterHandler, *, policy: ErrorPolicy, pauses: Pauses
    ) -> None:
        self._stage = stage.value
        self._handler = handler
        self._policy = policy
        self._pauses = pauses

    async def handle(self, records: Sequence[Message]) -> None:
        """Hand over the records as dead letters; return when the handler succeeded."""
        letters = [decode_dead_letter(record_of(record)) for record in records]

        async def attempt() -> None:
            await self._handler(letters)

        try:
            await self._policy.waiting(self._pause, Exception)(attempt)
        finally:
            self._pauses.clear(self)

    def _pause(self, state: RetryCallState) -> None:
        error = repr(last_error(state))
        self._pauses.set(self, self._stage, error)
        log.error("dead_letters_wait", stage=self._stage, error=error, times=state.attempt_number)
