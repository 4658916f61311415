"""Full-text search: the port and its two adapters, Tantivy and OpenSearch.

The indexer writes, the api reads. Texts become words in `tokenizer`, documents become fields in
`fields`, and `ranking` says what a match is worth, so that both engines find the same.
"""
