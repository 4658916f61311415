"""Consumes `audio.analyzed`, stores an audio and a text vector, emits `track.vectorized`."""

import asyncio
from collections.abc import Sequence

from services.vectorizer.descriptor import DIMENSIONS, MODEL, VERSION, descriptor
from services.vectorizer.text_description import text_description
from shared.bus.port import Outcome, Rejected
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.contracts.events import AudioAnalyzed, TrackVectorized
from shared.contracts.upserts import ErrorCode
from shared.embedding.port import EmbeddingSpace, TextEmbedder, embed_in_one_space
from shared.gateway.client import Gateway
from shared.gateway.results import TrackResult, UserError
from shared.gateway.vectorization import (
    AnalysisToVectorize,
    AudioModel,
    TrackToVectorize,
    VectorInput,
    VectorSpaceInput,
    audio_model,
    create_vectors,
    register_vector_spaces,
    tracks_to_vectorize,
    vector_bytes,
)

DESCRIPTOR_SPACE = VectorSpaceInput("AUDIO", MODEL, VERSION, DIMENSIONS)
_SUPERSEDED = {ErrorCode.STALE, ErrorCode.NOT_FOUND}
"""Error codes of a track that was changed or removed since its event."""


def audio_space(model: AudioModel | None) -> VectorSpaceInput:
    """The space of the trained model's embeddings; without a model, that of the descriptor."""
    if model is None:
        return DESCRIPTOR_SPACE
    return VectorSpaceInput("AUDIO", model.model, model.version, model.dimensions)


def text_space(space: EmbeddingSpace) -> VectorSpaceInput:
    """The text embedder's space, as the gateway's input."""
    return VectorSpaceInput("TEXT", space.model, space.version, space.dimensions)


class VectorizeTracks:
    """Computes both vectors of each track that has a current analysis.

    Args:
        gateway: reads analyses and stores vectors.
        embedder: computes text vectors.
    """

    def __init__(self, gateway: Gateway, embedder: TextEmbedder) -> None:
        self._gateway = gateway
        self._embedder = embedder
        self._registered: tuple[VectorSpaceInput, EmbeddingSpace] | None = None

    async def register(self) -> None:
        """Register the vector spaces that this vectorizer fills."""
        audio = audio_space(await audio_model(self._gateway))
        await self._register_spaces(audio, await self._embedder.space())

    async def _register_spaces(self, audio: VectorSpaceInput, text: EmbeddingSpace) -> None:
        """Register the spaces again if the analyzers or the embedder changed their model."""
        if self._registered != (audio, text):
            await register_vector_spaces(self._gateway, [audio, text_space(text)])
            self._registered = audio, text

    async def __call__(self, events: Sequence[AudioAnalyzed]) -> Outcome:
        """Store the vectors of a batch; tracks that changed since are left to their newer event.

        Raises:
            DependencyDown: another vectorizer fills other spaces, or the embedder is unavailable.
        """
        events_by_track = {event.track_id: event for event in events}
        known = await tracks_to_vectorize(self._gateway, list(events_by_track))
        audio = audio_space(await audio_model(self._gateway))
        ready = [(track, analysis) for track in known if (analysis := _current_analysis(track))]
        tracks = [(track, analysis) for track, analysis in ready if _has_vector_in(audio, analysis)]
        rejected = [
            Rejected(events_by_track[track.id], _no_embedding(audio, analysis))
            for track, analysis in ready
            if not _has_vector_in(audio, analysis)
        ]
        if not tracks:
            return Outcome([], rejected)
        descriptions = [text_description(track, analysis) for track, analysis in tracks]
        embedding_space, text_vectors = await embed_in_one_space(self._embedder, descriptions)
        await self._register_spaces(audio, embedding_space)
        audio_vectors = await asyncio.to_thread(
            lambda: [_audio_vector(audio, analysis) for _, analysis in tracks]
        )
        text = text_space(embedding_space)
        items: list[VectorInput] = []
        for (track, _), audio_vector, text_vector in zip(
            tracks, audio_vectors, text_vectors, strict=True
        ):
            items.append(_item(track, audio, audio_vector))
            items.append(_item(track, text, vector_bytes(text_vector)))
        results = await create_vectors(self._gateway, items)
        outcome = _outcome(events_by_track, [track.id for track, _ in tracks], results)
        return Outcome(outcome.emit, [*rejected, *outcome.rejected])


def _has_vector_in(audio: VectorSpaceInput, analysis: AnalysisToVectorize) -> bool:
    """Whether an analysis gives a vector in this space; a model's space needs its embedding."""
    if audio == DESCRIPTOR_SPACE:
        return True
    heard = analysis.meaning
    return heard is not None and (heard.model, heard.version) == (audio.model, audio.version)


def _no_embedding(audio: VectorSpaceInput, analysis: AnalysisToVectorize) -> InvalidInput:
    reason = analysis.meaning_absence or "it was analysed with another version of the model"
    return InvalidInput(
        f"its analysis has no embedding by {audio.model} {audio.version}, as others have:"
        f" {reason}; an analyzer that starts with the model analyses it again"
    )


def _audio_vector(audio: VectorSpaceInput, analysis: AnalysisToVectorize) -> bytes:
    if audio == DESCRIPTOR_SPACE or analysis.meaning is None:
        return vector_bytes(descriptor(analysis))
    return analysis.meaning.embedding


def _current_analysis(track: TrackToVectorize) -> AnalysisToVectorize | None:
    """The analysis of a track's current content, if there is one."""
    analysis = track.analysis
    if track.is_missing or analysis is None:
        return None
    if track.stage == "EXTRACTED":  # its analysis is outdated: a new one is due
        return None
    return analysis if analysis.content_revision == track.content_revision else None


def _item(track: TrackToVectorize, space: VectorSpaceInput, values: bytes) -> VectorInput:
    return VectorInput(track.id, track.content_revision, space, values)


def _outcome(
    events: dict[str, AudioAnalyzed], track_ids: Sequence[str], results: Sequence[TrackResult]
) -> Outcome:
    """An event for each track whose two vectors are stored.

    Args:
        events: by track id.
        track_ids: of the tracks whose vectors were sent.
        results: of the audio and the text vector of each track in turn.
    """
    emit: list[TrackVectorized] = []
    rejected: list[Rejected] = []
    for track_id, audio, text in zip(track_ids, results[::2], results[1::2], strict=True):
        error = _refusal(audio, text)
        if error is None:
            emit.append(
                TrackVectorized(
                    track_id=track_id,
                    content_revision=text.content_revision or 0,
                    revision=text.revision or 0,
                )
            )
        elif error.code not in _SUPERSEDED:
            invalid = InvalidInput(f"the gateway refused a vector: {error.message}")
            rejected.append(Rejected(events[track_id], invalid))
    return Outcome(emit, rejected)


def _refusal(audio: TrackResult, text: TrackResult) -> UserError | None:
    """The first error of a track's two results.

    Raises:
        DependencyDown: the gateway's spaces are not those that this vectorizer registered.
    """
    errors = [each.error for each in (audio, text) if each.error is not None]
    if any(error.code is ErrorCode.CONFLICT for error in errors):
        raise DependencyDown(
            "another vectorizer fills other vector spaces: stop this one, or restart it so that"
            " its spaces are filled"
        )
    return errors[0] if errors else None
