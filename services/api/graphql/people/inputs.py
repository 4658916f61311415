"""Inputs of people: scan requests, filters of failures, corrections."""

from datetime import UTC, datetime

import strawberry
from strawberry import UNSET

from services.api.graphql.arguments import uuid_of
from services.api.graphql.enums import FailureKind, ScanMode
from services.api.graphql.plain_inputs import plain
from services.api.graphql.services.library_inputs import ImportedFactInput
from services.api.store.failures.queries import FailureSelection
from shared.contracts.identity import IdKind


@plain
@strawberry.input
class RequestScanInput:
    """A library by its name or root; a folder below the root, or all of it."""

    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = strawberry.field(
        default=False,
        description="Confirms that files which the scan does not find are gone, however many.",
    )
    is_separate_library: bool | None = strawberry.field(
        default=False,
        description="A new `root` becomes a library of its own, also where it looks like a known"
        " library whose folder was moved (see `moveLibrary`).",
    )


@strawberry.input
class FailureFilter:
    """Conditions on failures; all must hold."""

    ids: list[strawberry.ID] | None = UNSET
    stage: str | None = UNSET
    kind: FailureKind | None = UNSET
    topic: str | None = UNSET
    track_id: strawberry.ID | None = UNSET
    include_resolved: bool | None = False

    def read(self) -> FailureSelection:
        """The filter for the store; it matches failures up to now."""
        ids = [uuid_of("ids", id_, IdKind.FAILURE) for id_ in self.ids or ()]
        return FailureSelection(
            until=datetime.now(UTC),
            ids=[id_ for id_ in ids if id_ is not None] or None,
            stage=self.stage or None,
            kind=self.kind.value if self.kind else None,
            topic=self.topic or None,
            track_id=uuid_of("trackId", self.track_id or None, IdKind.TRACK),
        )


@plain
@strawberry.input
class FileFactInput:
    """What a collection of another program says of a file."""

    path: str = strawberry.field(description="Below the library's root.")
    fact: ImportedFactInput


@strawberry.input(
    description="A field that is left out stays as it is. Null removes a correction: the measured"
    " or tagged value counts again."
)
class CorrectionInput:
    """A person's corrections of a track."""

    track_id: strawberry.ID
    tempo_bpm: float | None = strawberry.field(default=UNSET, description="20 to 400.")
    key: str | None = strawberry.field(
        default=UNSET, description="The tonic: C, C#, D, ... B; flats are written as sharps."
    )
    mode: str | None = strawberry.field(
        default=UNSET, description="`major` or `minor`; needed with a key."
    )
    genres: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")
    moods: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")
