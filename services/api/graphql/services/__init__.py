"""GraphQL for the services: batch mutations, and the queries of the extractor."""
