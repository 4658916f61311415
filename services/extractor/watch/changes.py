"""What the system tells of changes below a folder."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress

Changes = Callable[[str], AsyncGenerator[Sequence[str] | None, None]]
"""Of a folder: paths that changed; None where they are too many to be told, or some were lost; an
empty one now and then. It raises `CannotWatch`."""

_LONGEST_LINE_BYTES = 2**23


class CannotWatch(Exception):
    """The folder's changes are not told; the message says why."""


async def changed_paths(root: str) -> AsyncGenerator[Sequence[str] | None, None]:
    """`Changes` by watchfiles (inotify), in a process that ends with the iteration."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.extractor.watch.child", root,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, limit=_LONGEST_LINE_BYTES,
        start_new_session=True,  # Ctrl-C is for us
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            yield json.loads(line)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        _, told = await process.communicate()
    words = told.decode(errors="replace").strip().splitlines()
    raise CannotWatch(in_words(words[-1] if words else "the process that watches ended"))


def in_words(told: str) -> str:
    """Why it cannot be watched, and what helps, from what the process told."""
    if "limit reached" in told or "Too many open files" in told:
        return (
            "the system watches no more folders: raise fs.inotify.max_user_watches (or"
            f" max_user_instances) with sysctl ({told})"
        )
    return told
