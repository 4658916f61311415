"""`audio.analyzed` in, an audio and a text vector stored, `track.vectorized` out."""

import asyncio
from collections.abc import Sequence

from services.vectorizer.audio_vector import DIMENSIONS, MODEL, VERSION, audio_vector
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
_CHANGED_MEANWHILE = {"STALE", "NOT_FOUND"}


def audio_space(model: JSON | None) -> JSON:
    """The space of a trained model's embeddings; without a model, of our descriptor."""
    return DESCRIPTOR_SPACE if model is None else {"space": "AUDIO", **model}


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
        self._registered: tuple[JSON, EmbeddingSpace] | None = None

    async def register(self) -> None:
        """Tell the gateway which spaces are filled from now on."""
        audio = audio_space(await audio_model(self._gateway))
        await self._register(audio, await self._embedder.space())

    async def _register(self, audio: JSON, space: EmbeddingSpace) -> None:
        """Where an analyzer has another model now, or the embedder's server, it is told so."""
        if self._registered != (audio, space):
            await register_spaces(self._gateway, [audio, text_space(space)])
            self._registered = audio, space

    async def __call__(self, events: Sequence[AudioAnalyzed]) -> Outcome:
        """Store the vectors of a batch. What changed meanwhile is left to its newer event."""
        by_track = {event.track_id: event for event in events}
        found = await tracks_to_vectorize(self._gateway, list(by_track))
        audio = audio_space(await audio_model(self._gateway))
        ready = [track for track in found if _is_ready(track)]
        tracks = [track for track in ready if _is_of(audio, track["analysis"])]
        unheard = [track for track in ready if not _is_of(audio, track["analysis"])]
        rejected = [
            Rejected(by_track[track["id"]], _unheard(audio, track["analysis"])) for track in unheard
        ]
        if not tracks:
            return Outcome([], rejected)
        told = [text_description(track) for track in tracks]
        space, texts = await embed_in_one_space(self._embedder, told)
        await self._register(audio, space)
        sounds = await asyncio.to_thread(lambda: [_sound(audio, t["analysis"]) for t in tracks])
        spoken = text_space(space)
        items: list[JSON] = []
        for track, sound, text in zip(tracks, sounds, texts, strict=True):
            items += [_item(track, audio, sound), _item(track, spoken, vector_scalar(text))]
        results = await create_vectors(self._gateway, items)
        outcome = _outcome(by_track, tracks, results)
        return Outcome(outcome.emit, [*rejected, *outcome.rejected])


def _is_of(audio: JSON, analysis: JSON) -> bool:
    """Whether there is a vector in this space: of a trained model, an embedding by it."""
    if audio == DESCRIPTOR_SPACE:
        return True
    heard = analysis["meaning"] or {}
    return all(heard.get(name) == audio[name] for name in ("model", "version"))


def _unheard(audio: JSON, analysis: JSON) -> InvalidInput:
    why = analysis["meaningAbsence"] or "another version of the model heard it"
    return InvalidInput(
        f"its analysis has no embedding by {audio['model']} {audio['version']}, as others have:"
        f" {why}; an analyzer that starts with the model analyses it anew"
    )


def _sound(audio: JSON, analysis: JSON) -> str:
    """The audio vector as the schema's scalar."""
    if audio == DESCRIPTOR_SPACE:
        return vector_scalar(audio_vector(analysis))
    embedding: str = analysis["meaning"]["embedding"]
    return embedding


def _is_ready(track: JSON) -> bool:
    analysis = track["analysis"]
    return (
        not track["isMissing"]
        and track["stage"] != "EXTRACTED"  # it waits for a new analysis
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
