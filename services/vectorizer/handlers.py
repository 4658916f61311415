"""`audio.analyzed` in, an audio and a text vector stored, `track.vectorized` out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.vectorizer.audio_vector import DIMENSIONS, MODEL, VERSION, audio_vector
from services.vectorizer.text_description import text_description
from shared.bus.port import Outcome
from shared.contracts.events import AudioAnalyzed, TrackVectorized
from shared.embedding.port import EmbeddingSpace, TextEmbedder
from shared.gateway.client import JSON, Gateway
from shared.gateway.vectors import create_vectors, tracks_to_vectorize, vector_scalar

AUDIO_SPACE: JSON = {
    "space": "AUDIO",
    "model": MODEL,
    "version": VERSION,
    "dimensions": DIMENSIONS,
}


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

    async def __call__(self, events: Sequence[AudioAnalyzed]) -> Outcome:
        """Store the vectors of a batch. What changed meanwhile is left to its newer event."""
        found = await tracks_to_vectorize(self._gateway, [event.track_id for event in events])
        tracks = [track for track in found if _is_ready(track)]
        if not tracks:
            return Outcome()
        texts = await self._embedder.embed([text_description(track) for track in tracks])
        spoken = text_space(await self._embedder.space())
        items: list[JSON] = []
        for track, text in zip(tracks, texts, strict=True):
            items.append(_item(track, AUDIO_SPACE, audio_vector(track["analysis"])))
            items.append(_item(track, spoken, text))
        results = await create_vectors(self._gateway, items)
        return Outcome(_stored(results))


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


def _stored(results: list[JSON]) -> list[TrackVectorized]:
    """An event for each track whose vectors are both there."""
    events = []
    for audio, text in zip(results[::2], results[1::2], strict=True):
        refused = [result["error"] for result in (audio, text) if result["error"]]
        if any(error["code"] not in {"STALE", "NOT_FOUND"} for error in refused):
            raise ValueError(f"the gateway refused a vector: {refused[0]['message']}")
        if not refused:
            told = {"content_revision": text["contentRevision"], "revision": text["revision"]}
            events.append(TrackVectorized(track_id=text["id"], **told))
    return events
