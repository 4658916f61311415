"""Text embedding: the port, and its adapters WordLlama and Ollama.

The vectorizer embeds descriptions of tracks, the api embeds queries.
"""
