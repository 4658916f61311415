"""Reads files in worker processes; a file that kills or blocks its process is the only one lost."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

from services.extractor.covers.images import FolderImages, Image
from services.extractor.paths import wanted_folders
from services.extractor.read.content_hash import NO_SOUND, join_segments, segments
from services.extractor.read.jobs import (
    ChunkRead,
    FileRead,
    LongFile,
    read_chunk,
    read_cover,
    read_folders,
    read_segment,
)
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.rules_file import rules_of
from shared.contracts.errors import RetryLater
from shared.contracts.identity import local_path
from shared.gateway.client import in_portions
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

CHUNK_FILES = 200
"""Files a job: after each a process waits until the event loop has a moment to give it the next."""
CHUNK_TIMEOUT_S = 120.0
FILE_TIMEOUT_S = 30.0
_MOST_TIMEOUTS = 3
"""Files in a row that take too long: after them it is the disk that does not answer."""
_TOO_SLOW = RetryLater(
    "took too long to read: the next scan tries again; if it stays so, the file is damaged, or its"
    " disk too slow"
)
_STALLED = RetryLater("was not read, since its disk does not answer: the next scan reads it again")


class Readers:
    """The worker processes, asked for tags and images.

    Args:
        workers: the processes.
        rules: how credits and genres are split, unless the library's own rules say otherwise.
        read: the job that reads a chunk of files, as `read_chunk`.
        chunk_timeout_s: how long a chunk may take.
        file_timeout_s: how long a file may take that is read alone.
    """

    def __init__(
        self,
        workers: WorkerProcesses,
        rules: Rules = DEFAULT_RULES,
        *,
        read: Callable[..., ChunkRead] = read_chunk,
        chunk_timeout_s: float = CHUNK_TIMEOUT_S,
        file_timeout_s: float = FILE_TIMEOUT_S,
    ) -> None:
        self._workers = workers
        self._rules = rules
        self._read = read
        self._chunk_timeout_s = chunk_timeout_s
        self._file_timeout_s = file_timeout_s

    async def files(self, root: str, paths: Sequence[str]) -> ChunkRead:
        """Read files in parallel, by their library's rules; one result a path, in order.

        The images around them are looked at meanwhile.

        Raises:
            BadRules: the rules in the library's root cannot be used.
        """
        rules = await asyncio.to_thread(rules_of, root, self._rules)
        chunks = in_portions(paths, CHUNK_FILES)
        folders, read = await asyncio.gather(
            self._folders(root, wanted_folders(paths)),
            asyncio.gather(*(self._chunk(root, paths, rules) for paths in chunks)),
        )
        whole = ChunkRead(folders=folders)
        for chunk in read:
            whole.files += chunk.files
            whole.images |= chunk.images
        return whole

    async def _chunk(self, root: str, paths: Sequence[str], rules: Rules) -> ChunkRead:
        alone = len(paths) == 1
        limit_s = self._file_timeout_s if alone else self._chunk_timeout_s
        rules_argument = (
            () if rules == DEFAULT_RULES else (rules,)
        )  # they are longer than all paths
        try:
            chunk = await self._workers.run_within(
                limit_s, self._read, root, paths, *rules_argument
            )
        except WorkerTimeout:
            if alone:
                return ChunkRead([FileRead(paths[0], error=_TOO_SLOW)])
        except WorkerDied as error:
            if alone:
                return ChunkRead([FileRead(paths[0], error=error)])
        else:
            await self._hash_long_sounds(root, chunk)
            return chunk
        return await self._one_by_one(root, paths, rules)

    async def _one_by_one(self, root: str, paths: Sequence[str], rules: Rules) -> ChunkRead:
        """Read each file alone, after one of them has killed or blocked the process of all."""
        whole, timeouts = ChunkRead(), 0
        for path in paths:
            if timeouts == _MOST_TIMEOUTS:
                whole.files.append(FileRead(path, error=_STALLED))
                continue
            one = await self._chunk(root, [path], rules)
            timeouts = timeouts + 1 if one.files[0].error is _TOO_SLOW else 0
            whole.files += one.files
            whole.images |= one.images
        return whole

    async def _hash_long_sounds(self, root: str, chunk: ChunkRead) -> None:
        """Complete the files of a chunk whose sounds are hashed as a whole, each with its parts."""
        files: list[FileRead] = []
        timeouts = 0
        for path, group in groupby(chunk.files, attrgetter("path")):
            parts = list(group)
            first = parts[0]
            if first.long_sound is None:
                files += parts
                continue
            if timeouts == _MOST_TIMEOUTS:
                files.append(FileRead(path, error=_STALLED))
                continue
            name = local_path(root, path)
            long = LongFile(name, first.size_bytes, first.mtime_ns, first.long_sound)
            try:
                whole = await whole_hash(self._workers, long, timeout_s=self._file_timeout_s)
            except WorkerTimeout:
                files.append(FileRead(path, error=_TOO_SLOW))
                timeouts += 1
                continue
            timeouts = 0
            files += [part.with_content_hash(whole) for part in parts]
        chunk.files = files

    async def cover(self, root: str, path: str) -> Image | None:
        """The cover embedded in a file; None where there is none any longer."""
        try:
            return await self._workers.run_within(self._file_timeout_s, read_cover, root, path)
        except (WorkerDied, WorkerTimeout):
            return None

    async def _folders(self, root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
        """The images of folders; none where it takes too long."""
        try:
            return await self._workers.run_within(
                self._chunk_timeout_s, read_folders, root, folders
            )
        except (WorkerDied, WorkerTimeout):
            return {folder: FolderImages() for folder in folders}


async def whole_hash(
    workers: WorkerProcesses, file: LongFile, *, timeout_s: float = FILE_TIMEOUT_S
) -> str | None:
    """The content hash of a sound that is hashed as a whole, however large it is.

    Each segment is a job with a time limit: a large file takes its time, and a disk that does not
    answer is noticed. None where the file changed since, or cannot be read.

    Raises:
        WorkerTimeout: a segment took longer than `timeout_s` seconds.
    """
    digests: list[bytes] = []
    without_sound = file._replace(sound=NO_SOUND)  # its parts are sent once, not with every job
    for parts in segments(file.sound):
        try:
            digest = await workers.run_within(timeout_s, read_segment, without_sound, parts)
        except WorkerDied:
            return None
        if digest is None:
            return None
        digests.append(digest)
    return join_segments(file.sound, digests)
