"""The status: how far the work on all libraries is."""

from collections.abc import Mapping

import strawberry
from strawberry import Info

from services.api.graphql.types.scans import Scan
from services.api.graphql.types.track_details import TrackStage
from services.api.store.progress import Progress
from services.api.store.reading import lists, scans
from shared.contracts.topics import Stage

_FAILING = {
    TrackStage.EXTRACTED: (Stage.READ,),
    TrackStage.ANALYZED: (Stage.ANALYZE,),
    TrackStage.VECTORIZED: (Stage.VECTORIZE,),
    TrackStage.INDEXED: (Stage.INDEX,),
}


MOST_UNRESOLVED_SCANS = 20


@strawberry.type
class StageProgress:
    """How far a stage is."""

    stage: TrackStage
    done: int
    failed: int
    total: int


_PAUSED = "a person paused it; `soniquebay resume` continues it"


@strawberry.type
class PausedStage:
    """A stage that waits for a server it needs, or for a person who paused it."""

    stage: str
    reason: str


@strawberry.type(
    description="`pending` counts the work that is left: files to read, and tracks that have not"
    " passed all stages."
)
class Status:
    """Counts of everything."""

    tracks: int
    files: int = strawberry.field(
        description="The files that the tracks are in. A file with a cue sheet has several."
    )
    missing: int
    analyzed: int
    vectorized: int
    indexed: int
    damaged: int = strawberry.field(description="Analysed tracks whose file is damaged.")
    failed: int
    pending: int
    active_scans: int
    stages: list[StageProgress]
    paused: list[PausedStage]

    @strawberry.field(description="Artists with a present track or album, as `artists` lists them.")
    async def artists(self, info: Info) -> int:
        """Count them."""
        return await lists.count(info.context.pool, "artists", lists.artists(None))

    @strawberry.field(description="Albums with a present track, as `albums` lists them.")
    async def albums(self, info: Info) -> int:
        """Count them."""
        return await lists.count(info.context.pool, "albums", lists.albums())

    @strawberry.field(description="Genres with a present track, as `genres` lists them.")
    async def genres(self, info: Info) -> int:
        """Count them."""
        return await lists.count(info.context.pool, "genres", lists.genres())

    @strawberry.field(
        description="Scans of libraries that ended as HELD or REFUSED, and that no later scan of"
        " the same files followed: a person has to look at them. The newest"
        f" {MOST_UNRESOLVED_SCANS}."
    )
    async def unresolved_scans(self, info: Info) -> list[Scan]:
        """Read them."""
        found = await scans.unresolved(info.context.pool, MOST_UNRESOLVED_SCANS)
        return [Scan.of(scan) for scan in found]

    @classmethod
    def of(cls, progress: Progress, paused: Mapping[str, str]) -> "Status":
        """The status of stored counts and paused stages."""
        if progress.is_paused:
            paused = {**paused, Stage.ANALYZE.value: _PAUSED}
        names = ("tracks", "missing", "analyzed", "vectorized", "indexed", "failed", "pending")
        more = ("files", "damaged", "active_scans")
        return cls(
            **{name: getattr(progress, name) for name in (*names, *more)},
            stages=stages_of(progress),
            paused=[PausedStage(stage=s, reason=reason) for s, reason in sorted(paused.items())],
        )


def stages_of(progress: Progress) -> list[StageProgress]:
    """The counts of the four stages, in their order."""
    done = {
        TrackStage.EXTRACTED: progress.tracks,
        TrackStage.ANALYZED: progress.analyzed,
        TrackStage.VECTORIZED: progress.vectorized,
        TrackStage.INDEXED: progress.indexed,
    }
    failed = {
        stage: sum(progress.failed_by_stage.get(group, 0) for group in groups)
        for stage, groups in _FAILING.items()
    }
    total = progress.tracks + progress.files_to_read
    return [
        StageProgress(
            stage=stage,
            done=count,
            failed=failed[stage],
            total=total + (failed[stage] if stage is TrackStage.EXTRACTED else 0),
        )
        for stage, count in done.items()
    ]


@strawberry.type(
    description="`ratePerS` is the rate of the last ten seconds. `etaS` is the time left at this"
    " rate; null while nothing is done."
)
class StageRate:
    """How far a stage is, and its rate."""

    stage: TrackStage
    done: int
    failed: int
    total: int
    rate_per_s: float
    eta_s: float | None


@strawberry.type
class ScanProgress:
    """The status at a moment, and the scan that was named."""

    scan: Scan | None
    status: Status
    stages: list[StageRate]
    is_idle: bool
