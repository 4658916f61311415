"""Decides on disk which known track a new file continues, and stores the file with that.

The gateway recognises a moved file by its content or its tags, but does not see the disk. Where a
known file may have moved to a new path, it answers `UNDECIDED` with the candidates. The extractor
checks which of them are gone, and sends the track again with the answer.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from services.extractor.libraries import Libraries
from services.extractor.read.jobs import LongFile
from services.extractor.read.readers import whole_hash
from services.extractor.store.moved_files import FileState, MoveCandidate, check_files
from shared.contracts.identity import local_path
from shared.contracts.upserts import UpsertStatus
from shared.gateway.client import Gateway
from shared.gateway.extraction import Candidate, TrackUpsertResult, create_tracks
from shared.gateway.inputs import TrackInput
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses

_CHECK_TIMEOUT_S = 120.0
_ROUNDS = 3
"""How often undecided tracks are sent again. The last time no candidates are accepted."""


_Question = tuple[TrackInput, Sequence[Candidate]]
"""An undecided track, and the tracks that it may continue."""


class MoveResolver:
    """Settles undecided tracks: a file that was moved keeps its track.

    Args:
        gateway: stores the tracks.
        workers: check files on disk.
        libraries: the roots of all libraries, for files that come from another one.
    """

    def __init__(self, gateway: Gateway, workers: WorkerProcesses, libraries: Libraries) -> None:
        self._gateway = gateway
        self._workers = workers
        self._libraries = libraries

    async def resolve(
        self,
        *,
        root: str,
        library_id: str,
        scan_id: str | None,
        items: Sequence[TrackInput],
        results: list[TrackUpsertResult],
    ) -> list[str]:
        """Send undecided tracks again with a decision; their results are replaced in place.

        Args:
            root: of the library, on this host.
            library_id: of the library.
            scan_id: that the tracks are counted for, if any.
            items: the tracks that were sent.
            results: one for each of them, in order.

        Returns:
            Paths in this library that a track has moved away from (`StoredTracks.vacated`).
        """
        vacated: list[str] = []
        for rounds_left in reversed(range(_ROUNDS)):
            undecided = [
                n for n, result in enumerate(results) if result.status is UpsertStatus.UNDECIDED
            ]
            if not undecided:
                break
            questions = [(items[n], results[n].candidates) for n in undecided]
            decided, left_behind = await self._decide(
                root, library_id, questions, accepts=bool(rounds_left)
            )
            vacated += left_behind
            answers = await create_tracks(self._gateway, library_id, scan_id, decided)
            for n, answer in zip(undecided, answers, strict=True):
                results[n] = answer
        return vacated

    async def _decide(
        self,
        root: str,
        library_id: str,
        questions: Sequence[_Question],
        *,
        accepts: bool,
    ) -> tuple[list[TrackInput], list[str]]:
        """The inputs with a decision each, and the paths that become vacated by that."""
        free = await self._no_longer_present(root, questions)
        chosen = _choose(free) if accepts else {}
        items = [
            replace(item, moved_from=chosen[n][0].track_id)
            if n in chosen
            else replace(item, is_checked=True)
            for n, (item, _) in enumerate(questions)
        ]
        vacated = [
            candidate.path
            for candidate, state in chosen.values()
            if state is FileState.CHANGED and candidate.library_id == library_id
        ]
        return items, vacated

    async def _no_longer_present(
        self, root: str, questions: Sequence[_Question]
    ) -> list[list[tuple[Candidate, FileState]]]:
        """The candidates of each question whose file is gone or changed."""
        roots = {library.id: library.root for library in await self._libraries.fetch()}
        files = [
            MoveCandidate(
                # '' of a library that is being removed: nothing counts as gone there.
                root=roots.get(candidate.library_id, ""),
                path=candidate.path,
                moved_to=local_path(root, item.path),
                content_hash=item.content_hash if candidate.is_same_content else None,
                range_s=(item.part.start_s, item.part.end_s) if item.part else None,
            )
            for item, candidates in questions
            for candidate in candidates
        ]
        states = iter(await self._check(files))
        return [
            [(one, state) for one in candidates if (state := next(states)) is not FileState.PRESENT]
            for _, candidates in questions
        ]

    async def _check(self, candidates: Sequence[MoveCandidate]) -> list[FileState]:
        """The state of each file. All count as present if the check takes too long."""
        try:
            found = await self._workers.run_within(_CHECK_TIMEOUT_S, check_files, candidates)
        except (WorkerDied, WorkerTimeout):
            return [FileState.PRESENT] * len(candidates)
        hashes: dict[LongFile, str | None] = {}
        states: list[FileState] = []
        for candidate, state in zip(candidates, found, strict=True):
            if isinstance(state, LongFile):
                if state not in hashes:
                    hashes[state] = await self._hash(state)
                is_same = hashes[state] is None or candidate.is_of(hashes[state])
                state = FileState.PRESENT if is_same else FileState.CHANGED  # noqa: PLW2901
            states.append(state)
        return states

    async def _hash(self, file: LongFile) -> str | None:
        """The content hash of a file; None where it is not known."""
        try:
            return await whole_hash(self._workers, file)
        except WorkerTimeout:
            return None


def _choose(
    free: Sequence[Sequence[tuple[Candidate, FileState]]],
) -> dict[int, tuple[Candidate, FileState]]:
    """The candidate of each question, by its number. Equal content goes before equal tags.

    A track is chosen at most once: two copies of a file that is gone cannot both continue it.
    """
    chosen: dict[int, tuple[Candidate, FileState]] = {}
    taken: set[str] = set()
    for is_same_content in (True, False):
        for n, candidates in enumerate(free):
            for candidate, state in candidates:
                fits = candidate.is_same_content == is_same_content
                if fits and n not in chosen and candidate.track_id not in taken:
                    chosen[n] = candidate, state
                    taken.add(candidate.track_id)
    return chosen
