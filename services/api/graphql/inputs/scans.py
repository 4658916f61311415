"""What is told of scans."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import ScanMode
from services.api.graphql.plain_inputs import plain
from services.api.graphql.scalars import BigInt


@plain
@strawberry.input
class RequestScanInput:
    """What to scan."""

    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = strawberry.field(
        default=False,
        description="Files that are not seen are really gone, however many: a person says so.",
    )


@plain
@strawberry.input
class BeginScanInput:
    """What an event asks to scan."""

    scan_id: strawberry.ID | None = UNSET
    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = False


@plain
@strawberry.input
class ReportWalkInput:
    """How far a walk is."""

    scan_id: strawberry.ID
    files_seen: BigInt
    files_to_read: BigInt
    files_unchanged: BigInt
    files_missing: BigInt
    files_held: BigInt | None = UNSET
    is_finished: bool
    is_refused: bool | None = False
    message: str | None = UNSET
