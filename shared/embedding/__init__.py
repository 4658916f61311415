"""Embedding of texts: the port, and its adapters. The vectorizer embeds texts, the api queries."""
