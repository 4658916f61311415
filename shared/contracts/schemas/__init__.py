"""The events as JSON Schemas, one file a topic: for clients in other languages, and for review.

`python -m shared.contracts.schemas` writes them; a test compares them with the models.
"""

import json
from pathlib import Path

from shared.contracts.envelope import event_type
from shared.contracts.events import EVENTS, Event

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_of(event: type[Event]) -> Path:
    """Where an event's schema is kept: `<topic>.v<version>.json`."""
    return FOLDER / f"{event.topic.value}.v{event.version}.json"


def schema_of(event: type[Event]) -> str:
    """An event's schema as text, with its CloudEvents type and its topic."""
    schema = event.model_json_schema(mode="validation")
    document = {
        "$schema": _DIALECT,
        "$id": f"urn:{event_type(event).replace('.', ':')}",
        "x-cloudevents-type": event_type(event),
        "x-topic": event.topic.value,
        **schema,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write_all() -> list[Path]:
    """Write the schemas of all events; returns the files."""
    written = []
    for event in EVENTS:
        path = file_of(event)
        path.write_text(schema_of(event), encoding="utf-8")
        written.append(path)
    return written
