"""Inputs of scans and failures."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import FailureKind, ScanMode
from services.api.graphql.plain_inputs import plain
from services.api.graphql.scalars import BigInt


@plain
@strawberry.input
class BeginScanInput:
    """The fields of a `scan.requested` event."""

    scan_id: strawberry.ID | None = UNSET
    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = False


@plain
@strawberry.input
class ReportWalkInput:
    """The counts and the state of a walk."""

    scan_id: strawberry.ID
    files_seen: BigInt
    files_to_read: BigInt
    files_unchanged: BigInt
    files_missing: BigInt
    files_held: BigInt | None = UNSET
    is_finished: bool
    is_refused: bool | None = False
    message: str | None = UNSET


@plain
@strawberry.input
class FailureInput:
    """An event that a stage gave up on."""

    stage: str
    kind: FailureKind
    message: str
    detail: str | None = ""
    attempts: int | None = 1
    topic: str = strawberry.field(
        description="Topic, key and value are those of the failed record; a replay publishes it"
        " again."
    )
    key_base64: str
    value_base64: str
