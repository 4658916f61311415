"""Reports which paths change below a folder, by watchfiles (inotify on Linux).

The events come from a process of its own: `python -m services.extractor.watch.file_events FOLDER`.
When a watch begins, watchfiles visits every folder of the tree in one call, and holds the
interpreter's lock meanwhile (80 us a folder): that would block the service's event loop.

The process writes a line of JSON to stdout for each batch: a list of paths; null where more than
`MAX_PATHS` changed, or some changes may have been lost. An empty list is a sign of life. The first
line says that the watch is active. The process ends when its reader closes the pipe.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from watchfiles import Change, watch

MAX_PATHS = 500
"""The system drops events when 16,384 wait (inotify's default), and watchfiles hides that."""
_MAX_LINE_BYTES = 2**23
_TICK_MS = 500
_MAX_TRIES = 5
_CAN_LIST = os.R_OK | os.X_OK

FileEvents = Callable[[str], AsyncGenerator[Sequence[str] | None, None]]
"""Watches a folder and yields batches of paths that changed, as described above. Raises
`CannotWatch`."""


class CannotWatch(Exception):
    """The folder cannot be watched; the message says why. Scan it at intervals instead."""


async def watch_folder(root: str) -> AsyncGenerator[Sequence[str] | None, None]:
    """`FileEvents` by a process that ends with the iteration."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.extractor.watch.file_events", root,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, limit=_MAX_LINE_BYTES,
        start_new_session=True,  # Ctrl-C in the terminal is for the service alone
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            yield json.loads(line)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        _, output = await process.communicate()
    lines = output.decode(errors="replace").strip().splitlines()
    raise CannotWatch(explain(lines[-1] if lines else "the process that watches ended"))


def explain(error: str) -> str:
    """The reason why a folder cannot be watched, with advice where there is any."""
    if "limit reached" in error or "Too many open files" in error:
        return (
            "the system watches no more folders: raise fs.inotify.max_user_watches (or"
            f" max_user_instances) with sysctl ({error})"
        )
    return error


# watchfiles can skip folders that may not be read. But then it skips all folders after them too,
# and hides that a limit was reached.
_watch = partial(
    watch,
    watch_filter=None,
    step=100,
    rust_timeout=_TICK_MS,
    yield_on_timeout=True,
    raise_interrupt=False,
    ignore_permission_denied=False,
)


def changed_paths(folder: str) -> Iterator[Sequence[str] | None]:
    """Batches of paths that changed, without end. Blocks.

    Raises:
        OSError, RuntimeError: the folder cannot be watched.
    """
    for tries in range(_MAX_TRIES):
        try:
            with os.scandir(folder):  # may the folder itself be read?
                yield from _watch_tree(folder) if not tries else _watch_readable(folder)
        except PermissionError:
            if tries:
                raise
        except FileNotFoundError:  # a folder below it that was removed meanwhile
            if tries == _MAX_TRIES - 1 or not os.path.isdir(folder):  # noqa: PTH112 - surrogates
                raise


def _watch_tree(folder: str) -> Iterator[Sequence[str] | None]:
    for batch in _watch(folder):
        yield _paths(batch)


def _watch_readable(folder: str) -> Iterator[Sequence[str] | None]:
    """Watch each folder that may be read by itself; start again whenever a folder is added."""
    while True:
        folders = (name for name, _, _ in os.walk(folder))
        is_active = False
        readable = [name for name in folders if _is_utf_8(name) and os.access(name, _CAN_LIST)]
        for batch in _watch(*readable, recursive=False):
            if not is_active:
                is_active = True
                yield None  # changes between two watches may be lost
            yield _paths(batch)
            if any(kind == Change.added and os.path.isdir(path) for kind, path in batch):  # noqa: PTH112 - as above
                break


def _is_utf_8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)  # watchfiles' limit


def _paths(batch: set[tuple[Change, str]]) -> Sequence[str] | None:
    paths = sorted({path for _, path in batch})
    return paths if len(paths) <= MAX_PATHS else None


def main(folder: str) -> None:
    """Write changes to stdout until the reader closes it."""
    try:
        for paths in changed_paths(folder):
            sys.stdout.write(json.dumps(paths) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it exits: without this that would fail loudly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (OSError, RuntimeError, ValueError) as error:  # watchfiles raises all of them
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
