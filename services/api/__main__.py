"""Runs the api in a process of its own: `python -m services.api`."""

from services.api.service import build
from shared.embedding.factory import text_embedder
from shared.runtime.service import Service
from shared.runtime.standalone import Parts, run_standalone


def compose(parts: Parts) -> Service:
    """Build the service for a process of its own."""
    return build(parts.settings, bus=parts.bus, embedder=text_embedder(parts.settings)).service


if __name__ == "__main__":
    run_standalone("api", "Serves the gateway and owns the database.", compose)
