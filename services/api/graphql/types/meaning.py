"""What a trained model heard in a track."""

from typing import Any

import strawberry
from strawberry import Info

from services.api.graphql.scalars import Vector
from services.api.store.reading.pages import page_size
from shared.contracts.meaning import SCORES

_MOST_TAGS = 1_000


@strawberry.type
class Score:
    """A track's place on a scale."""

    score: float = strawberry.field(
        description="0..1: the share of reference music that has less of it, so .5 is average."
    )
    confidence: float = strawberry.field(
        description="0..1: how sure it is that the score is on the right side of .5; 0: not at all."
    )


@strawberry.type
class TagScore:
    """One of the model's words."""

    name: str
    score: float


@strawberry.type
class AudioModel:
    """The trained model that the analyzers use now."""

    model: str
    version: str
    dimensions: int = strawberry.field(description="The length of its embedding.")


@strawberry.type(
    description="What a trained model heard. docs/analysis.md says how reliable each score is."
)
class Meaning:
    """The fields of `shared.contracts.meaning`."""

    model: str
    version: str = strawberry.field(description="Only scores of the same version can be compared.")
    patches: int = strawberry.field(
        description="The number of 3-second excerpts that the model heard; 0: silence."
    )
    genre: str | None = strawberry.field(
        description="The genre that the model heard; the tagged ones are in `genres` of the track."
    )
    genre_confidence: float
    aggressive: Score
    relaxed: Score
    party: Score
    happy: Score
    sad: Score
    acoustic: Score
    electronic: Score
    instrumental: Score = strawberry.field(description="1 is without a voice, 0 is sung.")
    energy: Score = strawberry.field(
        description="As the model heard it; `energy` of the analysis is computed from level and"
        " onsets."
    )
    valence: Score
    arousal: Score
    embedding: Vector = strawberry.field(description="The track's audio vector, of unit length.")
    words: strawberry.Private[dict[str, float]]

    @strawberry.field(
        description="The model's words, the likeliest first. Scores of moods are tiny: use the"
        " order."
    )
    def tags(self, info: Info, first: int | None = 50) -> list[TagScore]:
        """Sort the words by probability."""
        ranked = sorted(self.words.items(), key=lambda tag: -tag[1])
        shown = ranked[: page_size(first, _MOST_TAGS)]
        info.context.budget.spend_values(2 * len(shown))
        return [TagScore(name=name, score=score) for name, score in shown]

    @classmethod
    def of(cls, row: Any) -> "Meaning":
        """A stored meaning as the gateway shows it."""
        names = ("model", "version", "patches", "genre", "genre_confidence", "embedding")
        fields: dict[str, Any] = {name: row[name] for name in names}
        for name in SCORES:
            fields[name] = Score(score=row[name], confidence=row[f"{name}_confidence"])
        return cls(words=row["tags"], **fields)
