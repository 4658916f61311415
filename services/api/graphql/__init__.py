"""The GraphQL schema: thin resolvers over the store. `services/api/schema.graphql` is its text."""
