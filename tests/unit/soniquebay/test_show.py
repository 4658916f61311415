"""An analysis in words, and what the trained model heard."""

from typing import Any

from soniquebay.commands.show import describe_analysis, describe_fact, describe_meaning

AVERAGE = {"score": 0.5, "confidence": 0.0}
NAMES = (
    "aggressive", "relaxed", "party", "happy", "sad", "acoustic", "electronic", "instrumental",
    "energy", "valence", "arousal",
)  # fmt: skip


def meaning(**changes: Any) -> dict[str, Any]:
    return {
        "genre": "jazz", "genreConfidence": 0.3,
        "tags": [{"name": "jazz", "score": 0.4}, {"name": "soul", "score": 0.1}],
        **dict.fromkeys(NAMES, AVERAGE), **changes,
    }  # fmt: skip


def test_scores_far_from_average_are_grouped_by_confidence() -> None:
    described = meaning(
        relaxed={"score": 0.9, "confidence": 0.7}, electronic={"score": 0.1, "confidence": 0.8},
        instrumental={"score": 0.2, "confidence": 0.5}, sad={"score": 0.9, "confidence": 0.2},
        happy={"score": 0.1, "confidence": 0.05}, party={"score": 0.6, "confidence": 0.9},
    )  # fmt: skip
    assert describe_meaning(described, None) == [
        ("sounds like", "probably jazz (jazz, soul)"),
        ("very likely", "relaxed, not electronic"),
        ("likely", "sung"),
        ("perhaps", "sad"),
    ]


def test_without_a_meaning_the_reason_is_shown() -> None:
    assert describe_meaning(None, "no model") == [("sounds like", "unknown: no model")]
    assert describe_meaning(meaning(genre=None), None) == [("sounds like", "silence")]


def test_a_damaged_file_is_said_to_be_damaged() -> None:
    analysis = {
        "tempoBpm": 0, "tempoConfidence": 0, "key": "C", "mode": "major", "camelot": "8B",
        "openKey": "1d", "keyConfidence": 0, "loudnessLufs": -14, "loudnessRangeLu": 5,
        "truePeakDbtp": -1, "bandwidthHz": 20_000, "bandwidthKind": "NATURAL",
        "isMonoInStereo": False, "replaygainTrackGainDb": -4, "energy": 0.5, "danceability": 0.5,
        "meaning": None, "meaningAbsence": "no model", "acoustidId": None, "damaged": True,
    }  # fmt: skip
    rows = dict(describe_analysis(analysis))
    assert rows["damaged"] == "part of the file cannot be decoded"
    assert dict(describe_analysis(analysis | {"damaged": False}))["damaged"] == ""


def test_what_another_program_says_is_summed_up() -> None:
    nothing: dict[str, Any] = {
        "source": "serato", "isCollection": False, "rating": None, "playCount": None,
        "energy": None, "key": None, "tempoBpm": None, "cues": [], "beatGrid": [], "problem": None,
    }  # fmt: skip
    cue = {"startS": 1.5}
    some = nothing | {"tempoBpm": 127.5, "cues": [cue, cue], "beatGrid": [cue], "problem": "p"}
    assert describe_fact(some) == ("serato", "127.50 BPM, 2 cues or loops, a beat grid, p")
    other = nothing | {
        "isCollection": True, "rating": 0, "playCount": 3, "energy": 7, "key": "8A", "cues": [cue],
    }  # fmt: skip
    assert describe_fact(other) == (
        "serato (collection)",
        "rating 0 of 100, played 3 times, energy 7 of 10, key 8A, a cue or loop",
    )
