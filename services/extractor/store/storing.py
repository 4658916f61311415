"""Takes a batch of read files to the gateway: artists, covers, albums, tracks, in this order."""

from collections.abc import Iterable, Sequence

import structlog

from services.extractor.covers.images import Image
from services.extractor.read.file_reader import ChunkRead, FileRead
from services.extractor.read.readers import Readers
from services.extractor.store.inputs import (
    AlbumKey,
    ArtistKey,
    Batch,
    album_inputs,
    album_key,
    artist_inputs,
    track_input,
)
from services.extractor.store.move_resolution import Placing
from shared.contracts.errors import InvalidInput, TransientError
from shared.gateway.client import JSON, Gateway, GatewayRefused
from shared.gateway.extraction import create_albums, create_artists, missing_covers

_TOGETHER_BYTES = 8 * 2**20
"""Images are sent together up to about this size."""
_log = structlog.get_logger()


class Storing:
    """Stores what was read.

    Args:
        gateway: where it goes.
        readers: who reads a cover again that is no longer at hand.
        placing: who stores the tracks.
    """

    def __init__(self, gateway: Gateway, readers: Readers, placing: Placing) -> None:
        self._gateway = gateway
        self._readers = readers
        self._placing = placing

    async def store(
        self, *, root: str, library_id: str, scan_id: str | None, chunk: ChunkRead
    ) -> tuple[list[JSON], list[str]]:
        """Store the files of a chunk that have tags.

        Returns:
            One `TrackUpsertResult` each, in order; and paths that are to be read again since
            the track that was there moved (`Placing`).

        Raises:
            TransientError: something that tracks refer to was removed meanwhile.
        """
        files = [file for file in chunk.files if file.track_fields is not None]
        if not files:
            return [], []
        batch = Batch(library_id, files, chunk.folders)
        batch.refused = await self._send_covers(root, batch, chunk.images)
        artists = await self._artists(batch)
        albums = await self._albums(batch, artists)
        items = [_item(batch, file, artists, albums) for file in files]
        results, freed = await self._placing.store(
            root=root, library_id=library_id, scan_id=scan_id, items=items
        )
        for result in results:
            error = result["error"]
            if error and error["code"] == "NOT_FOUND" and error["field"] in {"credits", "albumId"}:
                raise TransientError(f"removed meanwhile: {error['message']}")
        return results, freed

    async def _artists(self, batch: Batch) -> dict[ArtistKey, str]:
        inputs = artist_inputs(batch)
        results = await create_artists(self._gateway, list(inputs.values()))
        return dict(zip(inputs, _ids(results, "an artist"), strict=True))

    async def _albums(self, batch: Batch, artists: dict[ArtistKey, str]) -> dict[AlbumKey, str]:
        inputs = album_inputs(batch, artists)
        results = await create_albums(self._gateway, list(inputs.values()))
        return dict(zip(inputs, _ids(results, "an album"), strict=True))

    async def _send_covers(
        self, root: str, batch: Batch, carried: dict[str, Image]
    ) -> dict[str, str]:
        """Send the images that the gateway does not have; those it refused, and why."""
        refused: dict[str, str] = {}
        images = dict(carried)
        for folder in batch.folders.values():
            for image in (folder.cover, folder.artist, folder.artist_folder):
                if image is not None:
                    images[image.sha256] = image
        places = {
            file.cover_sha256: file.path for file in batch.files if file.cover_sha256 is not None
        }

        missing = sorted(await missing_covers(self._gateway, [*{**images, **places}]))
        while missing:
            portion: list[Image] = []
            while missing and sum(len(image.content) for image in portion) < _TOGETHER_BYTES:
                sha256 = missing.pop()
                image = images.get(sha256) or await self._readers.cover(root, places[sha256])
                portion += [image] if image is not None else []
            if portion:
                refused |= await self._send(portion)
        return refused

    async def _send(self, images: Sequence[Image]) -> dict[str, str]:
        """Those the gateway refused, and why: a track without its picture is better than none."""
        try:
            answers = await self._gateway.post_covers([image.content for image in images])
        except (GatewayRefused, InvalidInput) as error:
            if len(images) > 1:  # one by one: the others are not at fault
                alone = [await self._send([image]) for image in images]
                return {sha256: reason for told in alone for sha256, reason in told.items()}
            answers = [str(error)]
        refused = {
            image.sha256: reason
            for image, reason in zip(images, answers, strict=True)
            if reason is not None
        }
        for sha256, reason in refused.items():
            _log.warning("cover_refused", sha256=sha256, error=reason)
        return refused


def _item(
    batch: Batch,
    file: FileRead,
    artists: dict[ArtistKey, str],
    albums: dict[AlbumKey, str],
) -> JSON:
    key = album_key(file.path, file.release)
    album = albums[key] if file.release.title else None
    return track_input(batch, file, artists=artists, album_id=album)


def _ids(results: Iterable[JSON], what: str) -> Sequence[str]:
    """The ids; whose item was refused or removed, the records are run alone and tell it."""
    ids = []
    for result in results:
        if result["error"] is not None:
            kind = TransientError if result["error"]["code"] == "NOT_FOUND" else InvalidInput
            raise kind(f"the gateway refused {what}: {result['error']['message']}")
        ids.append(result["id"])
    return ids
