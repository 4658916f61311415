"""The GraphQL client of the workers, and its documents."""
