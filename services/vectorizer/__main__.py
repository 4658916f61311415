"""Runs the vectorizer in a process of its own: `python -m services.vectorizer`."""

from services.vectorizer.service import build
from shared.embedding.factory import text_embedder
from shared.runtime.service import Service
from shared.runtime.standalone import Parts, run_standalone


def compose(parts: Parts) -> Service:
    """Build the service for a process of its own."""
    return build(gateway=parts.gateway, embedder=text_embedder(parts.settings))


if __name__ == "__main__":
    run_standalone("vectorizer", "Computes vectors from analyses and tags.", compose)
