"""Runs the analyzer in a process of its own: `python -m services.analyzer`."""

from services.analyzer.service import build
from shared.runtime.service import Service
from shared.runtime.standalone import Parts, run_standalone


def compose(parts: Parts) -> Service:
    """Build the service for a process of its own."""
    return build(parts.settings, gateway=parts.gateway)


if __name__ == "__main__":
    run_standalone("analyzer", "Decodes and analyses the audio of tracks.", compose)
