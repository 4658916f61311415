"""The reader processes: a file that crashes or blocks its process is the only one that is lost."""

import asyncio
from collections.abc import Sequence

from services.extractor.covers.images import FolderImages, Image
from services.extractor.read.file_reader import (
    ChunkRead,
    FileRead,
    read_chunk,
    read_cover,
    read_folders,
)
from services.extractor.store.moved_files import Sight, Suspect, look_at
from services.extractor.tags.album_folders import wanted_folders
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.rules_file import rules_of
from shared.gateway.client import in_portions
from shared.runtime.workers import WorkerDied, WorkerProcesses, WorkerTimeout

CHUNK_FILES = 200
"""Files a job: after each job a process waits until the event loop has a moment for the next."""
CHUNK_TIMEOUT_S = 120.0
FILE_TIMEOUT_S = 30.0


class Readers:
    """Reads files and images in worker processes."""

    def __init__(self, workers: WorkerProcesses, rules: Rules = DEFAULT_RULES) -> None:
        self._workers = workers
        self._rules = rules

    async def files(self, root: str, paths: Sequence[str]) -> ChunkRead:
        """Read files by their library's rules, and the images in the folders around them.

        Args:
            root: of the library, on this host.
            paths: below the root.

        Returns:
            One result a path, in order.

        Raises:
            BadRules: the rules in the library's root cannot be used.
        """
        rules = await asyncio.to_thread(rules_of, root, self._rules)
        chunks = in_portions(paths, CHUNK_FILES)
        folders, chunks_read = await asyncio.gather(
            self._folders(root, wanted_folders(paths)),
            asyncio.gather(*(self._chunk(root, paths, rules) for paths in chunks)),
        )
        joined = ChunkRead(folders=folders)
        for chunk in chunks_read:
            joined.files += chunk.files
            joined.images |= chunk.images
        return joined

    async def _chunk(self, root: str, paths: Sequence[str], rules: Rules) -> ChunkRead:
        is_single = len(paths) == 1
        limit_s = FILE_TIMEOUT_S if is_single else CHUNK_TIMEOUT_S
        # The usual rules are not sent: pickled they are longer than all paths.
        sent_rules = () if rules == DEFAULT_RULES else (rules,)
        try:
            return await self._workers.run_within(limit_s, read_chunk, root, paths, *sent_rules)
        except (WorkerDied, WorkerTimeout) as error:
            if is_single:
                return ChunkRead([FileRead(paths[0], error=error)])
        # One of the files is at fault: one by one, the others are read after all.
        joined = ChunkRead()
        for path in paths:
            chunk = await self._chunk(root, [path], rules)
            joined.files += chunk.files
            joined.images |= chunk.images
        return joined

    async def cover(self, root: str, path: str) -> Image | None:
        """The cover embedded in a file; None where it can no longer be read."""
        try:
            return await self._workers.run_within(FILE_TIMEOUT_S, read_cover, root, path)
        except (WorkerDied, WorkerTimeout):
            return None

    async def _folders(self, root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
        """The images in folders; none where it takes too long."""
        try:
            return await self._workers.run_within(CHUNK_TIMEOUT_S, read_folders, root, folders)
        except (WorkerDied, WorkerTimeout):
            return {folder: FolderImages() for folder in folders}

    async def sights(self, suspects: Sequence[Suspect]) -> list[Sight]:
        """Which files that may have moved are still there; all of them where it takes too long."""
        try:
            return await self._workers.run_within(CHUNK_TIMEOUT_S, look_at, suspects)
        except (WorkerDied, WorkerTimeout):
            return [Sight.THERE] * len(suspects)
