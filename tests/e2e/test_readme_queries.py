"""README's three queries, as they stand there, on real music."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.e2e.running import JSON, Bay

README = (Path(__file__).parents[2] / "README.md").read_text()
LISTING, SEARCH, PROGRESS = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def served(wesnoth_bay: Bay) -> Iterator[Bay]:
    with wesnoth_bay.serving():
        yield wesnoth_bay


def test_tracks_are_listed(served: Bay) -> None:
    found = served.ask(LISTING)["tracks"]
    assert found["totalCount"] == len(found["edges"]) > 0
    for edge in found["edges"]:
        assert 80 <= edge["node"]["tempoBpm"] <= 100
        assert -70 < edge["node"]["analysis"]["loudnessLufs"] < 0
    artists = [edge["node"]["artists"] for edge in found["edges"]]
    assert artists == sorted(artists)


def test_a_search_tells_facets_and_what_sounds_alike(served: Bay) -> None:
    assert served.ask(SEARCH)["search"]["totalCount"] == 0, "no blue in this music"
    found = served.ask(SEARCH.replace("blue", "battle"))["search"]
    (hit,) = found["hits"]
    assert "Battle" in hit["track"]["title"]
    assert len({near["track"]["title"] for near in hit["track"]["similar"]} - {""}) == 5
    assert {"artist", "key"} <= {facet["name"].lower() for facet in found["facets"]}


def test_progress_is_heard_over_a_websocket(served: Bay) -> None:
    heard = first_heard(served.url, PROGRESS)["scanProgress"]
    assert heard["status"] == {"tracks": 41, "analyzed": 41, "pending": 0, "failed": 0}
    assert {stage["done"] for stage in heard["stages"]} == {41}


def first_heard(url: str, subscription: str) -> JSON:
    """The first that a subscription tells, by the protocol that browsers' clients speak."""
    protocol = Subprotocol("graphql-transport-ws")
    address = url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[protocol], proxy=None) as opened:
        opened.send(json.dumps({"type": "connection_init"}))
        assert json.loads(opened.recv(10))["type"] == "connection_ack"
        payload = {"query": subscription}
        opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        told: JSON = json.loads(opened.recv(10))["payload"]
    assert "errors" not in told, told
    data: JSON = told["data"]
    return data
