"""The text description of a track, which its text vector is computed from. Pure."""

from shared.contracts.meaning import MOODS
from shared.gateway.vectorization import AnalysisToVectorize, Score, TrackToVectorize

_TEMPO_WORDS = ((70, "very slow"), (95, "slow"), (125, "medium tempo"), (155, "fast"))
_ENERGY_WORDS = ((0.25, "calm and quiet"), (0.5, "relaxed"), (0.75, "energetic"))
_BRIGHTNESS_WORDS = ((0.1, "dark and warm"), (0.35, "balanced"))
_MODEL_SCALES = ("aggressive", "relaxed", "party", "acoustic", "electronic", "instrumental")
_MIN_SCORE, _MIN_CONFIDENCE, _MIN_GENRE_CONFIDENCE = 0.8, 0.5, 0.25
"""A scale or genre of the trained model is named from these values on."""
_MAX_CHARACTERS = 200  # of one tag, so that a long one does not outweigh the others


def text_description(track: TrackToVectorize, analysis: AnalysisToVectorize) -> str:
    """Tags and analysis in a few short phrases; at least the title.

    Args:
        track: its tags and corrections.
        analysis: of its current content.
    """
    composers = [credit.credited_as for credit in track.credits]
    parts = [
        track.title,
        f"by {', '.join(track.artists)}" if track.artists else "",
        f"from {track.album.title}" if track.album else "",
        f"composed by {', '.join(composers)}" if composers else "",
        " ".join(genre.name for genre in track.genres),
        f"{track.year // 10 * 10}s" if track.year else "",
        ", ".join(track.moods),
        *_sound_phrases(track, analysis),
    ]
    return ". ".join(part[:_MAX_CHARACTERS] for part in parts if part)


def _sound_phrases(track: TrackToVectorize, analysis: AnalysisToVectorize) -> list[str]:
    """Phrases on the sound. Tempo and key are the track's, which a person may have corrected."""
    words = [
        _word(analysis.energy, _ENERGY_WORDS, "loud and intense"),
        _word(analysis.brightness, _BRIGHTNESS_WORDS, "bright"),
    ]
    if track.tempo_bpm:
        words.append(_word(track.tempo_bpm, _TEMPO_WORDS, "very fast"))
    if analysis.danceability > 0.6:
        words.append("danceable")
    if track.key:
        words.append(f"{track.key} {track.mode}")
    return words + _model_words(track, analysis)


def _model_words(track: TrackToVectorize, analysis: AnalysisToVectorize) -> list[str]:
    """Words for what the trained model is sure of; without moods if a person corrected them."""
    heard = analysis.meaning
    if heard is None:
        return []
    is_corrected = track.correction is not None and track.correction.moods is not None
    scales = [name for name in _MODEL_SCALES if not (is_corrected and name in MOODS)]
    words = [name for name in scales if _is_certain(getattr(heard, name))]
    if heard.genre_confidence >= _MIN_GENRE_CONFIDENCE:
        words.append(f"sounds like {heard.genre}")
    return words


def _is_certain(score: Score) -> bool:
    """Whether a scale's score is high and sure."""
    return score.score >= _MIN_SCORE and score.confidence >= _MIN_CONFIDENCE


def _word(value: float, steps: tuple[tuple[float, str], ...], beyond: str) -> str:
    """The word of the first step whose limit is above the value."""
    return next((word for limit, word in steps if value < limit), beyond)
