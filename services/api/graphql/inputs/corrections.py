"""What a person says of a track."""

import strawberry
from strawberry import UNSET


@strawberry.input(
    description="What is left out stays as it is; null takes a correction back, and what was"
    " measured or tagged stands again."
)
class CorrectionInput:
    """What a person says of a track."""

    track_id: strawberry.ID
    tempo_bpm: float | None = strawberry.field(default=UNSET, description="20 to 400.")
    key: str | None = strawberry.field(
        default=UNSET, description="The tonic: C, C#, D, ... B; flats are told as sharps."
    )
    mode: str | None = strawberry.field(
        default=UNSET, description="`major` or `minor`: with a key always."
    )
    genres: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")
    moods: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")
