"""Reads files in worker processes; a file that kills or blocks its process is the only one lost."""

import asyncio
from collections.abc import Callable, Sequence

from services.extractor.covers.images import FolderImages, Image
from services.extractor.paths import wanted_folders
from services.extractor.read.file_reader import (
    ChunkRead,
    FileRead,
    read_chunk,
    read_cover,
    read_folders,
)
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.rules_file import rules_of
from shared.gateway.client import in_portions
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

CHUNK_FILES = 200
"""Files a job: after each a process waits until the event loop has a moment to give it the next."""
CHUNK_TIMEOUT_S = 120.0
FILE_TIMEOUT_S = 30.0


class Readers:
    """The worker processes, asked for tags and images.

    Args:
        workers: the processes.
        rules: how credits and genres are split, where a library has no rules of its own.
        read_chunk: their job that reads files.
    """

    def __init__(
        self,
        workers: WorkerProcesses,
        rules: Rules = DEFAULT_RULES,
        read_chunk: Callable[..., ChunkRead] = read_chunk,
    ) -> None:
        self._workers = workers
        self._rules = rules
        self._read_chunk = read_chunk

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
        limit_s = FILE_TIMEOUT_S if alone else CHUNK_TIMEOUT_S
        rules_argument = (
            () if rules == DEFAULT_RULES else (rules,)
        )  # they are longer than all paths
        try:
            return await self._workers.run_within(
                limit_s, self._read_chunk, root, paths, *rules_argument
            )
        except (WorkerDied, WorkerTimeout) as error:
            if alone:
                return ChunkRead([FileRead(paths[0], error=error)])
        whole = ChunkRead()
        for path in paths:
            one = await self._chunk(root, [path], rules)
            whole.files += one.files
            whole.images |= one.images
        return whole

    async def cover(self, root: str, path: str) -> Image | None:
        """The cover embedded in a file; None where there is none any longer."""
        try:
            return await self._workers.run_within(FILE_TIMEOUT_S, read_cover, root, path)
        except (WorkerDied, WorkerTimeout):
            return None

    async def _folders(self, root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
        """The images of folders; none where it takes too long."""
        try:
            return await self._workers.run_within(CHUNK_TIMEOUT_S, read_folders, root, folders)
        except (WorkerDied, WorkerTimeout):
            return {folder: FolderImages() for folder in folders}
