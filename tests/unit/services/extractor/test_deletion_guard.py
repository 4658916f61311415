"""The guard against accidental deletions: which missing files are marked missing."""

from typing import Any

import pytest

from services.extractor.scan.deletion_guard import DeletionGuard, WalkSummary, judge, not_below


def test_files_below_an_unreadable_folder_are_not_missing() -> None:
    missing = ["a/b/c.flac", "a/bc.flac", "d.flac"]
    assert not_below(missing, {"a/b"}) == ["a/bc.flac", "d.flac"]
    assert not_below(missing, {""}) == []
    assert not_below(missing, set()) == missing


NAMES = [f"a/{number}.mp3" for number in range(100)]


@pytest.mark.parametrize(
    ("known", "seen", "missing", "changes", "held"),
    [
        (100, 100, 0, {}, 0),
        (100, 50, 50, {}, 0),
        (100, 49, 51, {}, 51),
        (49, 1, 48, {}, 0),
        (1, 0, 1, {}, 1),
        (1, 0, 1, {"is_root_empty": True}, 1),
        (12, 0, 12, {"is_whole": False}, 0),
        (50, 0, 50, {"is_whole": False}, 50),
        (100, 100, 100, {}, 0),
        (100, 40, 60, {"empty_folders": ["a"]}, 60),
        (200, 140, 60, {"empty_folders": ["a"]}, 60),
        (200, 140, 60, {"empty_folders": ["b"]}, 0),
        (200, 151, 49, {"empty_folders": ["a"]}, 0),
        (200, 200, 60, {"empty_folders": ["a"]}, 0),
    ],
)
def test_a_removal_that_looks_like_an_accident_is_held(
    known: int, seen: int, missing: int, changes: dict[str, Any], held: int
) -> None:
    fields = {"place": "/music", "is_whole": True, "is_root_empty": False, "empty_folders": []}
    walk = WalkSummary(known=known, seen=seen, missing=NAMES[:missing], **{**fields, **changes})
    verdict = judge(walk, DeletionGuard(share=0.5, least=50))
    assert (verdict.held, len(verdict.gone)) == (held, missing - held)
    assert (verdict.message is None) == (held == 0)
    assert verdict.message is None or ("/music" in verdict.message)
