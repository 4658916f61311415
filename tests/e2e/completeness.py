"""Checks that all tracks are completely processed, with every field."""

import base64
from typing import Any

import numpy as np
from pydantic.alias_generators import to_snake

from shared.contracts.analysis import Analysis
from shared.contracts.meaning import Meaning
from tests.e2e.running import ANALYSIS, JSON, TAGS, Bay


def as_analysis(analysis: JSON) -> Analysis:
    """Check that every field is there and in its range."""
    named = in_snake_case(analysis)
    assert set(named) == set(Analysis.model_fields)
    meaning = named["meaning"]
    assert set(meaning) == set(Meaning.model_fields)
    meaning["tags"] = {tag["name"]: tag["score"] for tag in meaning["tags"]}
    meaning["embedding"] = np.frombuffer(base64.b64decode(meaning["embedding"]), "<f4").tolist()
    named["bandwidth_kind"] = named["bandwidth_kind"].lower()
    return Analysis.model_validate(named)


def in_snake_case(document: Any) -> Any:
    if isinstance(document, list):
        return [in_snake_case(one) for one in document]
    if not isinstance(document, dict):
        return document
    return {to_snake(name): in_snake_case(value) for name, value in document.items()}


def check_complete(bay: Bay, count: int) -> dict[str, JSON]:
    """Check that nothing failed, is pending or missing; the `count` tracks by path."""
    status = bay.json("status")
    stages = {name: status[name] for name in ("tracks", "analyzed", "vectorized", "indexed")}
    assert set(stages.values()) == {count}, status
    assert (status["failed"], status["pending"], status["missing"]) == (0, 0, 0)
    tracks = bay.tracks(f"id stage {TAGS} {ANALYSIS} vectors {{ space dimensions }}")
    assert len(tracks) == count
    for path, track in tracks.items():
        assert track["stage"] == "INDEXED", path
        assert sorted(vector["space"] for vector in track["vectors"]) == ["AUDIO", "TEXT"]
        as_analysis(track["analysis"])
    return tracks
