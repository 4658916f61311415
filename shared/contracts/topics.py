"""Topic names and consumer groups, declared once."""

from enum import StrEnum

DEAD_LETTER_SUFFIX = ".dlq"


class Topic(StrEnum):
    """The topics of the bus, in the order the data moves."""

    SCAN_REQUESTED = "scan.requested"
    FILE_FOUND = "file.found"
    FILE_MISSING = "file.missing"
    TRACK_EXTRACTED = "track.extracted"
    AUDIO_ANALYZED = "audio.analyzed"
    TRACK_VECTORIZED = "track.vectorized"
    TRACK_INDEXED = "track.indexed"


class Stage(StrEnum):
    """The stages of the pipeline; a stage's name is also its consumer group."""

    WALK = "extractor.walk"
    READ = "extractor.read"
    ANALYZE = "analyzer"
    VECTORIZE = "vectorizer"
    INDEX = "indexer"
    PROGRESS = "api.progress"
    FAILURES = "api.failures"


CONSUMERS: dict[Topic, tuple[Stage, ...]] = {
    Topic.SCAN_REQUESTED: (Stage.WALK,),
    Topic.FILE_FOUND: (Stage.READ,),
    Topic.FILE_MISSING: (Stage.READ,),
    Topic.TRACK_EXTRACTED: (Stage.ANALYZE, Stage.INDEX),
    Topic.AUDIO_ANALYZED: (Stage.VECTORIZE, Stage.INDEX),
    Topic.TRACK_VECTORIZED: (Stage.INDEX,),
    Topic.TRACK_INDEXED: (Stage.PROGRESS,),
}


def dead_letter_topic(topic: str) -> str:
    """The topic of the dead letters of a topic."""
    return topic + DEAD_LETTER_SUFFIX
