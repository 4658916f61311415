"""Things with an id of their own."""

import strawberry


@strawberry.interface
class Node:
    """Something that `node(id)` finds."""

    id: strawberry.ID
