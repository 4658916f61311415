"""`audio.analyzed` in, an audio and a text vector stored, `track.vectorized` out."""

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.vectorizer.audio_vector import DIMENSIONS, MODEL, VERSION, audio_vector
from services.vectorizer.text_description import text_description
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.contracts.events import AudioAnalyzed, TrackVectorized
from shared.embedding.port import EmbeddingSpace, TextEmbedder, embed_in_one_space
from shared.gateway.client import JSON, Gateway
from shared.gateway.vectors import (
    create_vectors,
    register_spaces,
    tracks_to_vectorize,
    vector_scalar,
)

AUDIO_SPACE: JSON = {
    "space": "AUDIO",
    "model": MODEL,
    "version": VERSION,
    "dimensions": DIMENSIONS,
}
_CHANGED_MEANWHILE = {"STALE", "NOT_FOUND"}


def text_space(space: EmbeddingSpace) -> JSON:
    """The text embedder's space, as the gateway takes it."""
    return {
        "space": "TEXT",
        "model": space.model,
        "version": space.version,
        "dimensions": space.dimensions,
    }


class VectorizeTracks:
    """Computes both vectors of each track that has a current analysis."""

    def __init__(self, gateway: Gateway, embedder: TextEmbedder) -> None:
        self._gateway = gateway
        self._embedder = embedder
        self._registered: EmbeddingSpace | None = None

    async def register(self) -> None:
        """Tell the gateway which spaces are filled from now on."""
        await self._register(await self._embedder.space())

    async def _register(self, space: EmbeddingSpace) -> None:
        await register_spaces(self._gateway, [AUDIO_SPACE, text_space(space)])
        self._registered = space

    async def __call__(self, events: Sequence[AudioAnalyzed]) -> Outcome:
        """Store the vectors of a batch. What changed meanwhile is left to its newer event."""
        found = await tracks_to_vectorize(self._gateway, [event.track_id for event in events])
        tracks = [track for track in found if _is_ready(track)]
        if not tracks:
            return Outcome()
        told = [text_description(track) for track in tracks]
        space, texts = await embed_in_one_space(self._embedder, told)
        if space != self._registered:  # its server has another model by that name now
            await self._register(space)
        sounds = await asyncio.to_thread(lambda: [audio_vector(t["analysis"]) for t in tracks])
        spoken = text_space(space)
        items: list[JSON] = []
        for track, sound, text in zip(tracks, sounds, texts, strict=True):
            items += [_item(track, AUDIO_SPACE, sound), _item(track, spoken, text)]
        results = await create_vectors(self._gateway, items)
        return _outcome({event.track_id: event for event in events}, tracks, results)


def _is_ready(track: JSON) -> bool:
    analysis = track["analysis"]
    return (
        not track["isMissing"]
        and analysis is not None
        and analysis["contentRevision"] == track["contentRevision"]
    )


def _item(track: JSON, space: JSON, values: NDArray[np.float32]) -> JSON:
    return {
        "trackId": track["id"],
        "contentRevision": track["contentRevision"],
        "space": space,
        "values": vector_scalar(values),
    }


def _outcome(
    events: dict[str, AudioAnalyzed], tracks: Sequence[JSON], results: Sequence[JSON]
) -> Outcome:
    """An event for each track whose vectors are both there."""
    emit: list[TrackVectorized] = []
    rejected: list[Rejected] = []
    for track, audio, text in zip(tracks, results[::2], results[1::2], strict=True):
        error = _refusal(audio, text)
        if error is None:
            told = {"content_revision": text["contentRevision"], "revision": text["revision"]}
            emit.append(TrackVectorized(track_id=track["id"], **told))
        elif error["code"] not in _CHANGED_MEANWHILE:
            invalid = InvalidInput(f"the gateway refused a vector: {error['message']}")
            rejected.append(Rejected(events[track["id"]], invalid))
    return Outcome(emit, rejected)


def _refusal(audio: JSON, text: JSON) -> JSON | None:
    errors: list[JSON] = [each["error"] for each in (audio, text) if each["error"]]
    if any(error["code"] == "CONFLICT" for error in errors):
        raise DependencyDown(
            "another vectorizer fills other vector spaces: stop this one, or start it again to"
            " have its spaces filled"
        )
    return errors[0] if errors else None
