"""What a trained model heard, told in words."""

from typing import Any

from soniquebay.meaning import heard

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


def test_what_stands_out_is_told_by_how_sure_it_is() -> None:
    told = meaning(
        relaxed={"score": 0.9, "confidence": 0.7}, electronic={"score": 0.1, "confidence": 0.8},
        instrumental={"score": 0.2, "confidence": 0.5}, sad={"score": 0.9, "confidence": 0.2},
        happy={"score": 0.1, "confidence": 0.05}, party={"score": 0.6, "confidence": 0.9},
    )  # fmt: skip
    assert heard(told, None) == [
        ("sounds like", "probably jazz (jazz, soul)"),
        ("very likely", "relaxed, not electronic"),
        ("likely", "sung"),
        ("perhaps", "sad"),
    ]


def test_where_nothing_is_heard_the_reason_is_told() -> None:
    assert heard(None, "no model") == [("heard", "nothing: no model")]
    assert heard(meaning(genre=None), None) == [("heard", "silence")]
