"""What the services found out, to be stored."""

import base64
import binascii
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info

from services.api.graphql.errors import bad_input
from services.api.graphql.inputs.analysis import AnalysisInput
from services.api.graphql.inputs.failures import FailureInput
from services.api.graphql.inputs.music import AlbumInput, ArtistInput
from services.api.graphql.inputs.tracks import TrackInput
from services.api.graphql.inputs.vectors import VectorInput
from services.api.graphql.mutations.arguments import (
    INPUT,
    ONLY_SERVICES,
    checked_rows,
    required_uuid,
)
from services.api.graphql.payloads import TrackUpsertPayload, UpsertPayload
from services.api.store import artists
from services.api.store.albums.upsert import upsert_albums
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.failures.write import store_failures
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.upsert import upsert_vectors
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import FailureKind
from shared.contracts.identity import IdKind


@strawberry.type
class StoringMutations:
    """What the services found out, to be stored."""

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_artists(
        self, info: Info, items: Annotated[list[ArtistInput], INPUT]
    ) -> UpsertPayload:
        """Upsert by name and MusicBrainz id."""
        return UpsertPayload.of(
            IdKind.ARTIST, await artists.upsert(info.context.pool, checked_rows(items))
        )

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_albums(
        self, info: Info, items: Annotated[list[AlbumInput], INPUT]
    ) -> UpsertPayload:
        """Upsert by what makes an album."""
        return UpsertPayload.of(
            IdKind.ALBUM, await upsert_albums(info.context.pool, checked_rows(items))
        )

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_tracks(
        self,
        info: Info,
        library_id: strawberry.ID,
        items: Annotated[list[TrackInput], INPUT],
        scan_id: strawberry.ID | None = UNSET,
    ) -> TrackUpsertPayload:
        """Upsert by path."""
        library = required_uuid("libraryId", library_id, IdKind.LIBRARY)
        scan = required_uuid("scanId", scan_id, IdKind.SCAN) if scan_id else None
        return TrackUpsertPayload.of(
            await upsert_tracks(info.context.pool, library, scan, checked_rows(items))
        )

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_analyses(
        self, info: Info, items: Annotated[list[AnalysisInput], INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and analyzer version."""
        return TrackUpsertPayload.of(await upsert_analyses(info.context.pool, checked_rows(items)))

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_vectors(
        self, info: Info, items: Annotated[list[VectorInput], INPUT]
    ) -> TrackUpsertPayload:
        """Upsert by track and space."""
        return TrackUpsertPayload.of(await upsert_vectors(info.context.pool, checked_rows(items)))

    @strawberry.mutation(permission_classes=ONLY_SERVICES)
    async def create_failures(
        self, info: Info, items: Annotated[list[FailureInput], INPUT]
    ) -> UpsertPayload:
        """Keep what a stage gave up."""
        letters = [_letter(row) for row in checked_rows(items)]
        return UpsertPayload.of(IdKind.FAILURE, await store_failures(info.context.pool, letters))


def _letter(row: dict[str, Any]) -> DeadLetter:
    try:
        key = base64.b64decode(row["key_base64"], validate=True)
        value = base64.b64decode(row["value_base64"], validate=True)
    except (binascii.Error, ValueError):
        raise bad_input("keyBase64 and valueBase64 must be base64") from None
    return DeadLetter(
        record=Record(topic=row["topic"], key=key, value=value),
        stage=row["stage"],
        kind=FailureKind(row["kind"]),
        message=row["message"],
        detail=row["detail"] or "",
        attempts=row["attempts"] or 1,
    )
