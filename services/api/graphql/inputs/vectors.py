"""What is told of vectors and their spaces."""

import strawberry

from services.api.graphql.enums import VectorSpace
from services.api.graphql.plain_inputs import plain
from services.api.graphql.scalars import Vector


@plain
@strawberry.input
class VectorSpaceInput:
    """What makes vectors comparable."""

    space: VectorSpace
    model: str
    version: str
    dimensions: int


@plain
@strawberry.input(
    description="Into the current space of its kind, whose model, version and dimensions must"
    " agree."
)
class VectorInput:
    """A vector of a track, of length 1."""

    track_id: strawberry.ID
    content_revision: int
    space: VectorSpaceInput
    values: Vector
