"""Runs the indexer in a process of its own: `python -m services.indexer`."""

from services.indexer.service import build
from shared.runtime.alone import Parts, run_alone
from shared.runtime.service import Service


def compose(parts: Parts) -> Service:
    """Build the service for a process of its own."""
    return build(parts.settings, gateway=parts.gateway)


if __name__ == "__main__":
    run_alone("indexer", "Keeps the search index.", compose)
