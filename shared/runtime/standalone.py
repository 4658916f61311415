"""Runs one service as a process of its own, on the Kafka bus: `python -m services.<name>`.

The process waits for what it needs (brokers, gateway, database) instead of crashing, answers
probes from the start, and at SIGTERM finishes the batches in flight before it exits.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import structlog
from pydantic import ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_random_exponential,
)

from shared.bus.kafka import KafkaBus
from shared.bus.kafka.topics import Layout
from shared.bus.port import Bus
from shared.contracts.errors import DependencyDown, PipelineError, TransientError
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.http import health_app, listening, serving
from shared.runtime.logs import configure_logs
from shared.runtime.resources import limit_malloc_arenas
from shared.runtime.service import Service, stop_signals
from shared.runtime.settings import Settings

_MAX_RETRY_DELAY_S = 10
_GATEWAY_TIMEOUT_S = 600
_PROBE_TIMEOUT_S = 3
_WAITS = "waiting: "
_HEALTH = ("SONIQUEBAY_HEALTH_HOST", "SONIQUEBAY_HEALTH_PORT")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that a standalone service is built from."""

    settings: Settings
    bus: Bus
    gateway: Gateway


Compose = Callable[[Parts], Service]


def run_standalone(name: str, what: str, compose: Compose) -> None:
    """Run a service until SIGTERM, and end the process: 0 drained, 1 not, 2 wrong settings.

    Args:
        name: the name of the service.
        what: what it does, for `--help`.
        compose: builds it, and opens nothing.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description=f"{what} Runs as one process of a cluster.",
        epilog="Settings are environment variables (docs/configuration.md). Needed:"
        " SONIQUEBAY_BUS=kafka, SONIQUEBAY_KAFKA_SERVERS, SONIQUEBAY_GATEWAY_URL and, where the"
        " gateway has one, SONIQUEBAY_SERVICE_TOKEN. /healthz, /readyz, /metrics and /asyncapi"
        " are at SONIQUEBAY_HEALTH_HOST and SONIQUEBAY_HEALTH_PORT.",
    )
    parser.parse_args()
    try:
        settings = Settings()
    except ValidationError as error:
        for each in error.errors(include_url=False):
            variable = "SONIQUEBAY_" + "_".join(str(part) for part in each["loc"]).upper()
            sys.stderr.write(f"{variable}: {each['msg']}\n")
        sys.exit(2)
    if settings.bus != "kafka":
        parser.error(
            "a service that runs alone needs a bus between processes: set SONIQUEBAY_BUS=kafka and"
            " SONIQUEBAY_KAFKA_SERVERS (`soniquebay up` runs all services in one process instead)"
        )
    limit_malloc_arenas()
    configure_logs(settings.log_level)
    structlog.contextvars.bind_contextvars(service=name)
    try:
        drained = asyncio.run(_Standalone(name, settings, compose).run())
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    sys.exit(0 if drained else 1)


class _Standalone:
    """One run of a service."""

    def __init__(self, name: str, settings: Settings, compose: Compose) -> None:
        self._name = name
        self._settings = settings
        self._compose = compose
        self._waits_for = "it is starting"
        self._drained = True

    async def run(self) -> bool:
        """Run until a stop signal; whether all batches in flight were finished."""
        stopped = stop_signals()
        work = asyncio.create_task(self._work(stopped))
        await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
        if self._waits_for:
            work.cancel()  # it has not begun to consume
        await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            work.result()
        return self._drained

    async def _work(self, stopped: asyncio.Future[None]) -> None:
        settings = self._settings
        bus = KafkaBus(
            settings.kafka_servers, client=f"soniquebay-{self._name}", source=self._name,
            layout=Layout(settings.kafka_partitions, settings.kafka_replicas),
            reports_all_lag=self._name == "api",
        )  # fmt: skip
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(gateway_client(settings))
            service = self._compose(Parts(settings, bus, Gateway(HttpTransport(client))))
            service.subscribe(bus)
            await stack.enter_async_context(self._probed(service, bus, client))
            await self._enter(stack, service)
            await stack.enter_async_context(self._bus_running(bus))
            await stack.enter_async_context(service.running())
            self._waits_for = ""
            _log.info("running")
            await stopped
            _log.info("draining")

    @asynccontextmanager
    async def _probed(
        self, service: Service, bus: Bus, client: httpx.AsyncClient
    ) -> AsyncIterator[None]:
        async def alive() -> str:
            return "" if bus.health().polling else "the bus has not been polled for too long"

        async def ready() -> str:
            if self._waits_for.startswith(_WAITS):
                return self._waits_for
            if not self._waits_for and not bus.health().connected:
                return f"the brokers at {self._settings.kafka_servers} do not answer"
            trouble = await service.trouble() or await self._gateway_trouble(client)
            return trouble or self._waits_for

        def description() -> str:
            from shared.bus.kafka.asyncapi import asyncapi  # noqa: PLC0415 - FastStream: 7 MB

            return asyncapi(self._name, service.subscriptions, self._settings.kafka_servers)

        app = health_app(alive=alive, ready=ready, description=description)
        settings = self._settings
        with listening(settings.health_host, settings.health_port, _HEALTH) as listener:
            async with serving(app, listener, name="health") as url:
                _log.info("probes", url=url)
                yield

    async def _gateway_trouble(self, client: httpx.AsyncClient) -> str:
        if self._name == "api":
            return ""  # it is the gateway
        try:
            answer = await client.get("/healthz", timeout=_PROBE_TIMEOUT_S)
        except httpx.HTTPError as error:
            return f"the gateway at {self._settings.gateway_address} is out of reach: {error!r}"
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return "the gateway refuses SONIQUEBAY_SERVICE_TOKEN"
        return "" if answer.is_success else f"the gateway answered {answer.status_code}"

    async def _enter(self, stack: AsyncExitStack, service: Service) -> None:
        """Enter the service's lifespan as soon as the servers that it needs answer."""

        async def enter() -> None:
            await stack.enter_async_context(service.lifespan())

        await _retrying(self._note)(enter)

    @asynccontextmanager
    async def _bus_running(self, bus: Bus) -> AsyncIterator[None]:
        await _retrying(self._note)(bus.start)
        try:
            yield
        finally:
            self._drained = await bus.drain(self._settings.drain_timeout_s)
            if not self._drained:
                _log.warning(
                    "some work in flight was not finished; its records will be delivered again"
                )

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._waits_for = f"{_WAITS}{error}"
        _log.warning("waiting", error=str(error), times=state.attempt_number)


def _retrying(note: Callable[[RetryCallState], None]) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type((DependencyDown, TransientError)),
        wait=wait_random_exponential(multiplier=0.2, max=_MAX_RETRY_DELAY_S),
        before_sleep=note,
    )


def gateway_client(settings: Settings) -> httpx.AsyncClient:
    """Return a service's HTTP client, with the services' token, or else the people's."""
    token = settings.service_token or settings.token
    headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    return httpx.AsyncClient(
        base_url=settings.gateway_address, headers=headers, timeout=_GATEWAY_TIMEOUT_S,
        trust_env=False,
    )  # fmt: skip
