"""The AsyncAPI document: the topics that a service consumes, and their messages."""

import json
from collections.abc import Sequence
from typing import Any

from shared.bus.kafka.asyncapi import asyncapi
from shared.bus.port import Outcome, Subscription
from shared.contracts.topics import Stage, Topic


async def _nothing(_: Sequence[Any]) -> Outcome:
    return Outcome()


def _described(*topics: Topic) -> dict[str, Any]:
    subscriptions = [Subscription(topic, Stage.INDEX, _nothing) for topic in topics]
    text = asyncapi("indexer", subscriptions, "one:9092, two:9092")
    document: dict[str, Any] = json.loads(text)
    return document


def _addresses(document: dict[str, Any], action: str) -> set[str]:
    return {
        _at(document, operation["channel"]["$ref"])["address"]
        for operation in document["operations"].values()
        if operation["action"] == action
    }


def _at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_names_the_consumed_topics_and_those_that_may_be_published() -> None:
    document = _described(Topic.TRACK_EXTRACTED, Topic.AUDIO_ANALYZED)
    assert document["asyncapi"].startswith("3.")
    assert document["info"]["title"] == "SoniqueBay indexer"
    hosts = {server["host"] for server in document["servers"].values()}
    assert hosts == {"one:9092", "two:9092"}
    assert _addresses(document, "receive") == {"track.extracted", "audio.analyzed"}
    assert _addresses(document, "send") == {topic.value for topic in Topic}


def test_every_message_has_the_schema_of_its_topic() -> None:
    document = _described(*Topic)
    for operation in document["operations"].values():
        (reference,) = operation["messages"]
        message = _at(document, _at(document, reference["$ref"])["$ref"])
        schema = _at(document, message["payload"]["$ref"])
        topic = _at(document, operation["channel"]["$ref"])["address"]
        assert schema["title"] == "".join(word.capitalize() for word in topic.split("."))
        assert schema["type"] == "object"
