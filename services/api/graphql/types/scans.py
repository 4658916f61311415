"""Scans."""

from datetime import datetime

import strawberry

from services.api.graphql.enums import ScanMode, ScanState
from services.api.graphql.scalars import BigInt
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.relay import Node
from services.api.store.libraries.read import Library as StoredLibrary
from services.api.store.reading import scans
from shared.contracts.identity import IdKind, format_id


@strawberry.type
class Scan(Node):
    """A scan of a library or folder."""

    stored_library: strawberry.Private[StoredLibrary | None]
    root: str
    folder: str
    mode: ScanMode
    state: ScanState
    message: str | None
    files_seen: BigInt
    files_to_read: BigInt
    files_read: BigInt
    files_failed: BigInt
    files_unchanged: BigInt
    files_missing: BigInt
    files_held: BigInt = strawberry.field(
        description="Known files that the scan did not find and did not mark as missing, since"
        " they are too many at once. `requestScan` with `acceptMissing` marks them."
    )
    accept_missing: bool
    requested_at: datetime
    finished_at: datetime | None

    @strawberry.field
    def library(self) -> Library | None:
        """The library; null where the request was refused before it was known."""
        return None if self.stored_library is None else Library.of(self.stored_library)

    @classmethod
    def of(cls, scan: scans.Scan) -> "Scan":
        """A stored scan as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.SCAN, scan.id)),
            stored_library=scan.stored_library,
            root=scan.root,
            folder=scan.folder,
            mode=ScanMode(scan.mode),
            state=ScanState(scan.state),
            message=scan.message,
            files_seen=BigInt(scan.files_seen),
            files_to_read=BigInt(scan.files_to_read),
            files_read=BigInt(scan.files_read),
            files_failed=BigInt(scan.files_failed),
            files_unchanged=BigInt(scan.files_unchanged),
            files_missing=BigInt(scan.files_missing),
            files_held=BigInt(scan.files_held),
            accept_missing=scan.accept_missing,
            requested_at=scan.requested_at,
            finished_at=scan.finished_at,
        )
