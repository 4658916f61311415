"""Stores a batch of read files through the gateway: covers, artists, albums, tracks."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import structlog

from services.extractor.covers.images import Image
from services.extractor.read.jobs import ChunkRead, FileRead
from services.extractor.read.readers import Readers
from services.extractor.store.inputs import (
    ArtistKey,
    Batch,
    album_inputs,
    artist_inputs,
    claim_of,
    track_input,
)
from services.extractor.store.move_resolution import MoveResolver
from shared.contracts.errors import InvalidInput, TransientError
from shared.contracts.upserts import ErrorCode, UpsertStatus
from shared.gateway.client import Gateway, GatewayRefused
from shared.gateway.extraction import (
    TrackUpsertResult,
    UpsertResult,
    create_albums,
    create_artists,
    create_tracks,
    missing_covers,
)
from shared.gateway.inputs import TrackInput

_REQUEST_BYTES = 8 * 2**20
"""Images are sent together up to about this size."""
_log = structlog.get_logger()


class StoredTracks(NamedTuple):
    """The outcome of storing tracks.

    Attributes:
        results: one `TrackUpsertResult` for each track, in order.
        vacated: paths in this library that a track has moved away from, and where another file is
            now. No track is known for that file any longer, so it has to be read again.
    """

    results: list[TrackUpsertResult]
    vacated: list[str]


class BatchStore:
    """Stores read files.

    Args:
        gateway: stores artists, covers and albums.
        readers: read a cover again whose bytes were not kept.
        moves: settles which tracks continue known ones.
    """

    def __init__(self, gateway: Gateway, readers: Readers, moves: MoveResolver) -> None:
        self._gateway = gateway
        self._readers = readers
        self._moves = moves

    async def store(
        self, *, root: str, library_id: str, scan_id: str | None, chunk: ChunkRead
    ) -> StoredTracks:
        """Store the files of a chunk that could be read; one result for each, in order.

        Raises:
            TransientError: an artist or album that tracks refer to was removed in the meantime.
        """
        files = [file for file in chunk.files if file.error is None]
        if not files:
            return StoredTracks([], [])
        batch = Batch(library_id, files, chunk.folders)
        # Covers go first: artists, albums and tracks refer to those that the gateway accepted.
        batch.refused = await self._send_covers(root, batch, chunk.images)
        artists = await self._store_artists(batch)
        albums = await self._store_albums(batch, artists)
        items = [_track_input(batch, file, artists, albums) for file in files]
        results = await create_tracks(self._gateway, library_id, scan_id, items)
        vacated: list[str] = []
        if any(result.status is UpsertStatus.UNDECIDED for result in results):
            vacated = await self._moves.resolve(
                root=root, library_id=library_id, scan_id=scan_id, items=items, results=results
            )
        for result in results:
            error = result.error
            if error is None or error.code is not ErrorCode.NOT_FOUND:
                continue
            if error.field in {"credits", "albumId"}:
                raise TransientError(f"removed meanwhile: {error.message}")
        return StoredTracks(results, vacated)

    async def _store_artists(self, batch: Batch) -> dict[ArtistKey, str]:
        inputs = artist_inputs(batch)
        results = await create_artists(self._gateway, list(inputs.values()))
        return dict(zip(inputs, _ids(results, "an artist"), strict=True))

    async def _store_albums(self, batch: Batch, artists: dict[ArtistKey, str]) -> dict[str, str]:
        inputs = album_inputs(batch, artists)
        results = await create_albums(self._gateway, list(inputs.values()))
        return dict(zip(inputs, _ids(results, "an album"), strict=True))

    async def _send_covers(
        self, root: str, batch: Batch, embedded: dict[str, Image]
    ) -> dict[str, str]:
        """Send the images that the gateway does not have; returns the reason of each it refused."""
        images = dict(embedded)
        for folder in batch.folders.values():
            for image in (folder.cover, folder.artist, folder.artist_folder):
                if image is not None:
                    images[image.sha256] = image
        # Not all embedded images are in the chunk, which carries a limited number of bytes.
        paths = {
            file.cover_sha256: file.path for file in batch.files if file.cover_sha256 is not None
        }

        refused: dict[str, str] = {}
        missing = sorted(await missing_covers(self._gateway, [*{**images, **paths}]))
        while missing:
            portion: list[Image] = []
            while missing and sum(len(image.content) for image in portion) < _REQUEST_BYTES:
                sha256 = missing.pop()
                image = images.get(sha256) or await self._readers.cover(root, paths[sha256])
                portion += [image] if image is not None else []
            if portion:
                refused |= await self._send(portion)
        return refused

    async def _send(self, images: Sequence[Image]) -> dict[str, str]:
        """Send images; returns the reason of each that the gateway refused.

        A refused image is logged, and fails no track: one without its cover is better than none.
        """
        try:
            answers = await self._gateway.post_covers([image.content for image in images])
        except (GatewayRefused, InvalidInput) as error:
            if len(images) > 1:  # one of them is at fault: send each by itself
                refusals = [await self._send([image]) for image in images]
                return {sha256: reason for each in refusals for sha256, reason in each.items()}
            answers = [str(error)]
        refused = {
            image.sha256: reason
            for image, reason in zip(images, answers, strict=True)
            if reason is not None
        }
        for sha256, reason in refused.items():
            _log.warning("cover_refused", sha256=sha256, error=reason)
        return refused


def _track_input(
    batch: Batch,
    file: FileRead,
    artists: dict[ArtistKey, str],
    albums: dict[str, str],
) -> TrackInput:
    album_id = None
    if file.release.title:
        album_id = albums[claim_of(batch.library_id, file.path, file.release)]
    return track_input(batch, file, artists=artists, album_id=album_id)


def _ids(results: Iterable[UpsertResult], what: str) -> Sequence[str]:
    """The ids of the results.

    A refused item fails the whole batch. The bus then runs the batch again in halves, until the
    record at fault stands alone and names the reason.
    """
    ids = []
    for result in results:
        if result.id is None:
            error = result.error
            is_gone = error is not None and error.code is ErrorCode.NOT_FOUND
            kind = TransientError if is_gone else InvalidInput
            raise kind(f"the gateway refused {what}: {error.message if error else 'no reason'}")
        ids.append(result.id)
    return ids
