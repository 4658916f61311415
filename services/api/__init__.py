"""The api service owns the database and answers GraphQL."""
