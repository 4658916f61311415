"""Says what changes below a folder: `python -m services.extractor.watch.child FOLDER`.

A process of its own, for beginning to watch looks at every folder of the tree at once and holds
the interpreter's lock meanwhile (80 us a folder). It writes a line of JSON to stdout: a list of
paths; null where more changed than `MOST_PATHS`, or some changes may have been lost. An empty list
is a sign of life; the first line says that the watch stands. It ends with whoever reads.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from watchfiles import Change, watch

MOST_PATHS = 500
"""The system drops events when 16,384 wait (inotify's default), and watchfiles does not say so."""
_TICK_MS = 500
_MOST_TRIES = 5
_TO_LOOK = os.R_OK | os.X_OK

# watchfiles can leave out folders that may not be read, but then it leaves out whatever comes after
# them too, and hides that a limit was reached.
_watch = partial(
    watch,
    watch_filter=None,
    step=100,
    rust_timeout=_TICK_MS,
    yield_on_timeout=True,
    raise_interrupt=False,
    ignore_permission_denied=False,
)


def changes(folder: str) -> Iterator[Sequence[str] | None]:
    """Paths that changed, for ever; see above. `OSError`, `RuntimeError`: it cannot be watched."""
    for tries in range(_MOST_TRIES):
        try:
            with os.scandir(folder):  # may it be read at all?
                yield from _whole(folder) if not tries else _readable(folder)
        except PermissionError:
            if tries:
                raise
        except FileNotFoundError:  # a folder below it that went away meanwhile
            if tries == _MOST_TRIES - 1 or not os.path.isdir(folder):  # noqa: PTH112 - surrogates
                raise


def _whole(folder: str) -> Iterator[Sequence[str] | None]:
    for batch in _watch(folder):
        yield _paths(batch)


def _readable(folder: str) -> Iterator[Sequence[str] | None]:
    """Each folder by itself, but for those that may not be read; anew with each new folder."""
    while True:
        folders = (name for name, _, _ in os.walk(folder))
        stands = False
        may_read = [name for name in folders if _is_utf_8(name) and os.access(name, _TO_LOOK)]
        for batch in _watch(*may_read, recursive=False):
            if not stands:
                stands = True
                yield None  # between two watches changes may be lost
            yield _paths(batch)
            if any(kind == Change.added and os.path.isdir(path) for kind, path in batch):  # noqa: PTH112 - as above
                break


def _is_utf_8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)  # watchfiles' limit


def _paths(batch: set[tuple[Change, str]]) -> Sequence[str] | None:
    paths = sorted({path for _, path in batch})
    return paths if len(paths) <= MOST_PATHS else None


def main(folder: str) -> None:
    """Watch until the reader is gone."""
    try:
        for paths in changes(folder):
            sys.stdout.write(json.dumps(paths) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (OSError, RuntimeError, ValueError) as error:  # watchfiles raises them all
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
