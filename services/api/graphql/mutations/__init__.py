"""All mutations, a module for each who asks: read the input, call the store, show the result."""

import strawberry

from services.api.graphql.mutations.arguments import MOST_ITEMS
from services.api.graphql.mutations.asking import AskingMutations
from services.api.graphql.mutations.registering import RegisteringMutations
from services.api.graphql.mutations.storing import StoringMutations
from services.api.graphql.mutations.walking import WalkingMutations

__all__ = ["MOST_ITEMS", "Mutation"]


@strawberry.type
class Mutation(AskingMutations, WalkingMutations, StoringMutations, RegisteringMutations):
    """What changes the library."""
