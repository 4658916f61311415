"""The work of the worker processes, named without loading it.

The service's own process imports this module alone: numpy, scipy and the decoders, more than half
of its memory, are loaded where they are used.
"""

# ruff: noqa: PLC0415 - imported late on purpose: see above

from shared.contracts.analysis import MOST_HEARD_S, Analysis


def prepare_worker() -> None:
    """In a new process: see `description.prepare_worker`."""
    from services.analyzer import description

    description.prepare_worker()


def describe(path: bytes, heard_s: float = MOST_HEARD_S) -> Analysis:
    """Decode and analyse a file on this host: see `description.describe`."""
    from services.analyzer import description

    return description.describe(path, heard_s)
