"""Runs the indexer in a process of its own: `python -m services.indexer`."""

from services.indexer.service import build
from shared.runtime.service import Service
from shared.runtime.standalone import Parts, run_standalone


def compose(parts: Parts) -> Service:
    """Build the service for a process of its own."""
    return build(parts.settings, gateway=parts.gateway)


if __name__ == "__main__":
    run_standalone("indexer", "Keeps the search index in step with the library.", compose)
