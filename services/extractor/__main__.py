"""Runs the extractor as a process of its own: `python -m services.extractor`."""

from services.extractor.service import build
from shared.runtime.service import Service
from shared.runtime.standalone import Parts, run_standalone


def compose(parts: Parts) -> Service:
    """The service, with the adapters of a process of its own."""
    return build(parts.settings, gateway=parts.gateway, publish=parts.bus.publish)


if __name__ == "__main__":
    run_standalone("extractor", "Walks libraries and reads tags and covers.", compose)
