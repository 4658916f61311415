"""Consumes `audio.analyzed`, stores an audio and a text vector, emits `track.vectorized`."""

import asyncio
from collections.abc import Sequence

from services.vectorizer.descriptor import DIMENSIONS, MODEL, VERSION, descriptor
from services.vectorizer.text_description import text_description
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.contracts.events import AudioAnalyzed, TrackVectorized
from shared.embedding.port import EmbeddingSpace, TextEmbedder, embed_in_one_space
from shared.gateway.client import JSON, Gateway
from shared.gateway.vectors import (
    audio_model,
    create_vectors,
    register_spaces,
    tracks_to_vectorize,
    vector_scalar,
)

DESCRIPTOR_SPACE: JSON = {
    "space": "AUDIO",
    "model": MODEL,
    "version": VERSION,
    "dimensions": DIMENSIONS,
}
_SUPERSEDED = {"STALE", "NOT_FOUND"}
"""Error codes of a track that was changed or removed since its event."""


def audio_space(model: JSON | None) -> JSON:
    """The space of the trained model's embeddings; without a model, that of the descriptor."""
    return DESCRIPTOR_SPACE if model is None else {"space": "AUDIO", **model}


def text_space(space: EmbeddingSpace) -> JSON:
    """The text embedder's space, as the gateway's input."""
    return {
        "space": "TEXT",
        "model": space.model,
        "version": space.version,
        "dimensions": space.dimensions,
    }


class VectorizeTracks:
    """Computes both vectors of each track that has a current analysis.

    Args:
        gateway: reads analyses and stores vectors.
        embedder: computes text vectors.
    """

    def __init__(self, gateway: Gateway, embedder: TextEmbedder) -> None:
        self._gateway = gateway
        self._embedder = embedder
        self._registered: tuple[JSON, EmbeddingSpace] | None = None

    async def register(self) -> None:
        """Register the vector spaces that this vectorizer fills."""
        audio = audio_space(await audio_model(self._gateway))
        await self._register_spaces(audio, await self._embedder.space())

    async def _register_spaces(self, audio: JSON, text: EmbeddingSpace) -> None:
        """Register the spaces again if the analyzers or the embedder changed their model."""
        if self._registered != (audio, text):
            await register_spaces(self._gateway, [audio, text_space(text)])
            self._registered = audio, text

    async def __call__(self, events: Sequence[AudioAnalyzed]) -> Outcome:
        """Store the vectors of a batch; tracks that changed since are left to their newer event.

        Raises:
            DependencyDown: another vectorizer fills other spaces, or the embedder is unavailable.
        """
        events_by_track = {event.track_id: event for event in events}
        known = await tracks_to_vectorize(self._gateway, list(events_by_track))
        audio = audio_space(await audio_model(self._gateway))
        ready = [track for track in known if _is_ready(track)]
        tracks = [track for track in ready if _has_vector_in(audio, track["analysis"])]
        rejected = [
            Rejected(events_by_track[track["id"]], _no_embedding(audio, track["analysis"]))
            for track in ready
            if not _has_vector_in(audio, track["analysis"])
        ]
        if not tracks:
            return Outcome([], rejected)
        descriptions = [text_description(track) for track in tracks]
        embedding_space, text_vectors = await embed_in_one_space(self._embedder, descriptions)
        await self._register_spaces(audio, embedding_space)
        audio_vectors = await asyncio.to_thread(
            lambda: [_audio_vector(audio, track["analysis"]) for track in tracks]
        )
        text = text_space(embedding_space)
        items: list[JSON] = []
        for track, audio_vector, text_vector in zip(
            tracks, audio_vectors, text_vectors, strict=True
        ):
            items.append(_item(track, audio, audio_vector))
            items.append(_item(track, text, vector_scalar(text_vector)))
        results = await create_vectors(self._gateway, items)
        outcome = _outcome(events_by_track, tracks, results)
        return Outcome(outcome.emit, [*rejected, *outcome.rejected])


def _has_vector_in(audio: JSON, analysis: JSON) -> bool:
    """Whether an analysis gives a vector in this space: a model's needs that model's embedding."""
    if audio == DESCRIPTOR_SPACE:
        return True
    meaning = analysis["meaning"] or {}
    return all(meaning.get(name) == audio[name] for name in ("model", "version"))


def _no_embedding(audio: JSON, analysis: JSON) -> InvalidInput:
    reason = analysis["meaningAbsence"] or "it was analysed with another version of the model"
    return InvalidInput(
        f"its analysis has no embedding by {audio['model']} {audio['version']}, as others have:"
        f" {reason}; an analyzer that starts with the model analyses it again"
    )


def _audio_vector(audio: JSON, analysis: JSON) -> str:
    """The audio vector as the schema's scalar."""
    if audio == DESCRIPTOR_SPACE:
        return vector_scalar(descriptor(analysis))
    embedding: str = analysis["meaning"]["embedding"]
    return embedding


def _is_ready(track: JSON) -> bool:
    """Whether a track has an analysis of its current content."""
    analysis = track["analysis"]
    return (
        not track["isMissing"]
        and track["stage"] != "EXTRACTED"  # its analysis is outdated: a new one is due
        and analysis is not None
        and analysis["contentRevision"] == track["contentRevision"]
    )


def _item(track: JSON, space: JSON, values: str) -> JSON:
    return {
        "trackId": track["id"],
        "contentRevision": track["contentRevision"],
        "space": space,
        "values": values,
    }


def _outcome(
    events: dict[str, AudioAnalyzed], tracks: Sequence[JSON], results: Sequence[JSON]
) -> Outcome:
    """An event for each track whose two vectors are stored.

    Args:
        events: by track id.
        tracks: whose vectors were sent.
        results: of the audio and the text vector of each track in turn.
    """
    emit: list[TrackVectorized] = []
    rejected: list[Rejected] = []
    for track, audio, text in zip(tracks, results[::2], results[1::2], strict=True):
        error = _refusal(audio, text)
        if error is None:
            emit.append(
                TrackVectorized(
                    track_id=track["id"],
                    content_revision=text["contentRevision"],
                    revision=text["revision"],
                )
            )
        elif error["code"] not in _SUPERSEDED:
            invalid = InvalidInput(f"the gateway refused a vector: {error['message']}")
            rejected.append(Rejected(events[track["id"]], invalid))
    return Outcome(emit, rejected)


def _refusal(audio: JSON, text: JSON) -> JSON | None:
    """The first error of a track's two results.

    Raises:
        DependencyDown: the gateway's spaces are not those that this vectorizer registered.
    """
    errors: list[JSON] = [each["error"] for each in (audio, text) if each["error"]]
    if any(error["code"] == "CONFLICT" for error in errors):
        raise DependencyDown(
            "another vectorizer fills other vector spaces: stop this one, or restart it so that"
            " its spaces are filled"
        )
    return errors[0] if errors else None
