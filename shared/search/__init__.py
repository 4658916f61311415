"""Search: the port, and its adapters. The indexer writes, the api reads."""
