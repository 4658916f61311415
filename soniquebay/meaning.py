"""What a trained model heard, in words. Pure."""

from collections.abc import Mapping
from typing import Any

_SCALES = (
    ("aggressive", "aggressive", "not aggressive"),
    ("relaxed", "relaxed", "restless"),
    ("party", "party music", "no party music"),
    ("happy", "happy", "not happy"),
    ("sad", "sad", "not sad"),
    ("acoustic", "acoustic", "not acoustic"),
    ("electronic", "electronic", "not electronic"),
    ("instrumental", "instrumental", "sung"),
    ("energy", "energetic", "calm"),
    ("valence", "cheerful", "dark"),
    ("arousal", "exciting", "soothing"),
)
"""A score, what much of it is, and what little of it is."""
_STEPS = ((0.65, "very likely"), (0.4, "likely"), (0.1, "perhaps"))
_STRIKING = 0.25
"""So far from average a score must be to be told."""
_GENRE_STEPS = ((0.4, ""), (0.2, "probably "), (0.0, "perhaps "))


def heard(meaning: Mapping[str, Any] | None, absence: str | None) -> list[tuple[str, str]]:
    """Lines for people: what stands out, grouped by how sure it is; or why nothing is heard."""
    if meaning is None:
        return [("heard", f"nothing: {absence}")]
    if meaning["genre"] is None:
        return [("heard", "silence")]
    words = ", ".join(tag["name"] for tag in meaning["tags"])
    lines = [("sounds like", f"{_genre(meaning)} ({words})")]
    for number, (least, how) in enumerate(_STEPS):
        most = _STEPS[number - 1][0] if number else 1.01
        found = [
            much if told["score"] > 0.5 else little
            for name, much, little in _SCALES
            if least <= (told := meaning[name])["confidence"] < most
            and abs(told["score"] - 0.5) >= _STRIKING
        ]
        lines.append((how, ", ".join(found)))
    return lines


def _genre(meaning: Mapping[str, Any]) -> str:
    confidence = meaning["genreConfidence"]
    how = next(word for least, word in _GENRE_STEPS if confidence >= least)
    return f"{how}{meaning['genre']}"
