"""Generated pages and docs/events.md agree with the code."""

import re
from pathlib import Path

import pytest

from shared.contracts.events import EVENTS, Event
from shared.contracts.topics import CONSUMERS, Topic
from shared.runtime.reference_pages import PAGES

DOCS = Path(__file__).parents[2] / "docs"
EVENTS_PAGE = (DOCS / "events.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == PAGES[name](), "run: python -m shared.runtime.reference_pages"


def test_the_events_page_has_the_topics_and_their_consumers() -> None:
    table = EVENTS_PAGE.partition("What holds for all")[0]
    rows = re.findall(r"^\| `([a-z.]+)` \|[^|]*\|[^|]*\|([^|]*)\|", table, re.MULTILINE)
    documented = {topic: tuple(re.findall(r"`([^`]+)`", groups)) for topic, groups in rows}
    assert documented == {topic.value: tuple(map(str, CONSUMERS[topic])) for topic in Topic}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic.value)
def test_the_events_page_has_every_field_of_an_event(event: type[Event]) -> None:
    section = EVENTS_PAGE.partition(f"### `{event.topic.value}`\n")[2].partition("\n## ")[0]
    section = section.partition("\n### ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(event.model_fields)
