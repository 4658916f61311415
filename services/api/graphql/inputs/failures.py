"""What is told of failures, and which are meant."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import FailureKind
from services.api.graphql.plain_inputs import plain


@plain
@strawberry.input
class FailureInput:
    """Something that a stage gave up."""

    stage: str
    kind: FailureKind
    message: str
    detail: str | None = ""
    attempts: int | None = 1
    topic: str = strawberry.field(
        description="The record that failed, for the replay: topic, and base64 of key and value."
    )
    key_base64: str
    value_base64: str


@plain
@strawberry.input
class FailureFilter:
    """Which failures; what is left out does not matter."""

    ids: list[strawberry.ID] | None = UNSET
    stage: str | None = UNSET
    kind: FailureKind | None = UNSET
    topic: str | None = UNSET
    track_id: strawberry.ID | None = UNSET
    include_resolved: bool | None = False
