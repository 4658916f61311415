"""What other programs say of a track: ratings, play counts, cues, beat grids, energy."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry import Info

from services.api.graphql.enums import CueKind
from services.api.graphql.look_ahead import of_row
from services.api.graphql.scalars import BigInt
from services.api.graphql.types.track_details import TaggedKey

Stored = Sequence[dict[str, Any]]
"""Cues or markers as the database has them."""


@strawberry.type
class Cue:
    """A cue point or loop, as DJ software set it."""

    kind: CueKind
    start_s: float
    end_s: float | None = strawberry.field(description="The end of a loop; null for cue points.")
    index: int | None = strawberry.field(
        description="The button of a hot cue or loop, from 0; null if it has none."
    )
    name: str | None
    color: str | None = strawberry.field(description="In the form `#c02626`.")


@strawberry.type
class BeatGridMarker:
    """A beat from which on a tempo holds, until the next marker."""

    start_s: float
    tempo_bpm: float
    beats: int | None = strawberry.field(
        description="The number of beats until the next marker; null if the program says none."
    )
    beat_in_bar: int | None = strawberry.field(
        description="Its number in its bar, from 1; null if the program says none."
    )


@strawberry.type(
    description="What another program says of a track. Times are those of the program, in seconds"
    " from the beginning of the file (docs/dj-software.md)."
)
class ImportedFact:
    """A program's or person's facts about a track."""

    stored_cues: strawberry.Private[Stored]
    stored_grid: strawberry.Private[Stored]
    source: str = strawberry.field(
        description="`serato`, `traktor`, `rekordbox`, `mixed in key`, another program, an e-mail"
        " address, or `tags` if the tag names none."
    )
    is_collection: bool = strawberry.field(
        description="From the program's collection, which was imported; else from the file."
    )
    rating: int | None = strawberry.field(description="0 to 100.")
    play_count: BigInt | None
    energy: int | None = strawberry.field(description="1 to 10, on Mixed In Key's scale.")
    key: str | None = strawberry.field(description="As the program writes it.")
    tempo_bpm: float | None
    gain_db: float | None = strawberry.field(
        description="The gain that the program measured and plays the track with."
    )
    problem: str | None = strawberry.field(
        description="Why something that the program wrote is left out."
    )

    @strawberry.field(description="`key` as analyses spell keys; null if it is none.")
    def understood_key(self) -> TaggedKey | None:
        """The key in any notation."""
        return TaggedKey.of({"tag_key": self.key})

    @strawberry.field(description="Cue points and loops in the order of time; at most 256.")
    def cues(self, info: Info) -> list[Cue]:
        """The cues, which count for the request's budget."""
        info.context.budget.spend(len(self.stored_cues))
        return [
            Cue(
                kind=CueKind(each["kind"]),
                start_s=each["start_s"],
                end_s=each.get("end_s"),
                index=each.get("index"),
                name=each.get("name"),
                color=each.get("color"),
            )
            for each in self.stored_cues
        ]

    @strawberry.field(description="The beat grid, in the order of time; at most 2,000 markers.")
    def beat_grid(self, info: Info) -> list[BeatGridMarker]:
        """The markers, which count for the request's budget."""
        info.context.budget.spend(len(self.stored_grid))
        return [
            BeatGridMarker(
                start_s=each["start_s"],
                tempo_bpm=each["tempo_bpm"],
                beats=each.get("beats"),
                beat_in_bar=each.get("beat_in_bar"),
            )
            for each in self.stored_grid
        ]

    @classmethod
    def of(cls, row: Any) -> "ImportedFact":
        """The facts of a row."""
        return of_row(cls, row)
