"""How a process is asked to end: SIGINT or SIGTERM."""

import asyncio
import os
import signal

_ENDED_BY_SIGINT = 130


def stop_signals() -> asyncio.Future[None]:
    """Done at the first SIGINT or SIGTERM; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if stopped.done():
            os._exit(_ENDED_BY_SIGINT)
        stopped.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return stopped
