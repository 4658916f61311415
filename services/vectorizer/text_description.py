"""A track in words: what its text vector is made of. Pure."""

from shared.contracts.meaning import MOODS
from shared.gateway.client import JSON

_TEMPI = ((70, "very slow"), (95, "slow"), (125, "medium tempo"), (155, "fast"))
_ENERGIES = ((0.25, "calm and quiet"), (0.5, "relaxed"), (0.75, "energetic"))
_BRIGHTNESS = ((0.1, "dark and warm"), (0.35, "balanced"))
_HEARD = ("aggressive", "relaxed", "party", "acoustic", "electronic", "instrumental")
_MUCH, _SURE, _GENRE_SURE = 0.8, 0.5, 0.25
_MOST_CHARACTERS = 200  # of a tag, so that none drowns the others


def text_description(track: JSON) -> str:
    """Tags and what was measured, as a few short phrases; at least the title."""
    album = track["album"] or {}
    composers = [credit["creditedAs"] for credit in track["credits"]]
    parts = [
        track["title"],
        f"by {', '.join(track['artists'])}" if track["artists"] else "",
        f"from {album['title']}" if album else "",
        f"composed by {', '.join(composers)}" if composers else "",
        " ".join(genre["name"] for genre in track["genres"]),
        f"{track['year'] // 10 * 10}s" if track["year"] else "",
        ", ".join(track["moods"]),
        *_sound(track),
    ]
    return ". ".join(part[:_MOST_CHARACTERS] for part in parts if part)


def _sound(track: JSON) -> list[str]:
    """Tempo and key as they stand, corrected or measured; the rest as measured."""
    analysis = track["analysis"]
    words = [
        _word(analysis["energy"], _ENERGIES, "loud and intense"),
        _word(analysis["brightness"], _BRIGHTNESS, "bright"),
    ]
    if track["tempoBpm"]:
        words.append(_word(track["tempoBpm"], _TEMPI, "very fast"))
    if analysis["danceability"] > 0.6:
        words.append("danceable")
    if track["key"]:
        words.append(f"{track['key']} {track['mode']}")
    return words + _heard(track)


def _heard(track: JSON) -> list[str]:
    """What a trained model is sure of; no moods where a person said which they are."""
    meaning = track["analysis"].get("meaning") or {}
    is_corrected = (track["correction"] or {}).get("moods") is not None
    asked = [name for name in _HEARD if not (is_corrected and name in MOODS)]
    found = [name for name in asked if _is_so(meaning.get(name))]
    if meaning.get("genreConfidence", 0) >= _GENRE_SURE:
        found.append(f"sounds like {meaning['genre']}")
    return found


def _is_so(told: JSON | None) -> bool:
    return told is not None and told["score"] >= _MUCH and told["confidence"] >= _SURE


def _word(value: float, steps: tuple[tuple[float, str], ...], beyond: str) -> str:
    return next((word for limit, word in steps if value < limit), beyond)
