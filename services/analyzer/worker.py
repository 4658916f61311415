"""The jobs of the worker processes: prepare a process, analyse a file.

The service's own process imports this module, since it sends these jobs. Numpy, scipy and the
decoders, more than half of a process's memory, are imported only where a job runs.
"""

# ruff: noqa: PLC0415 - imported late on purpose: see above

import os
import resource

from shared.contracts.analysis import MOST_HEARD_S, Analysis

_MAX_MEMORY_BYTES = 4 * 2**30


def prepare_worker() -> None:
    """Prepare a new process: limit its memory, silence the decoders, and warm up."""
    from services.analyzer.analysis import warm_up

    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    # mpg123 writes its notes on damaged files straight to stderr; errors return as exceptions.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warm_up()


def analyze_file(
    path: bytes,
    max_excerpt_s: float = MOST_HEARD_S,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> Analysis:
    """Decode and analyse a file on this host, or a part of it.

    Args:
        path: of the file.
        max_excerpt_s: the spectrum of so much is analysed; of a longer track, ten slices of it.
        start_s: where the part begins.
        end_s: where it ends; None at the file's end.

    Raises:
        InvalidInput: it cannot be decoded, or has less than a second of audio.
        TransientError: the disk or its mount failed.
    """
    from services.analyzer.analysis import analysis_of
    from services.analyzer.decode.file_range import FileRange
    from services.analyzer.decode_pass import decode_file

    return analysis_of(decode_file(path, max_excerpt_s, FileRange(start_s, end_s)))
