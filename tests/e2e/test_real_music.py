"""Real music: processed in one process, with README's queries, and the same on five services.

All tests are in one file because they share the library that the one process made.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from services.api.store.database.embedded import EmbeddedPostgres
from tests.e2e.cluster import Cluster, cluster_in, database_url
from tests.e2e.completeness import check_complete
from tests.e2e.running import JSON, Bay, Served
from tests.e2e.tables import Tables, differences, tables
from tests.engines import kafka, opensearch
from tests.fetch_debian import NotFetched

README = (Path(__file__).parents[2] / "README.md").read_text()
LISTING, SEARCH, PROGRESS = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
FIRST = 5
QUERIES = (
    # Whole words, parts of words, two words, both orders, misspelt, without accents, the artist,
    # the album, words of the file name; and one without hits.
    "battle", "northern mountains", "mountains northern", "over the nor", "nothern mountians",
    "the knolls", "knoll", "elvish", "elf land", "loyalists", "siege", "seige of laurelmor",
    "vengeful", "vengeful pursuit", "revelation", "breaking the chains", "casualties of war",
    "the dangerous symphony", "dangerous simphony", "journey", "traveling minstrels",
    "travelling minstrel", "underground", "weight of revenge", "sad", "victory", "suspense",
    "knalgan theme", "wesnoth", "xylophagous quagga",
)  # fmt: skip

FIRST_HITS = """query Search($text: String!, $first: Int!) {
  search(text: $text, first: $first) { hits { track { displayPath } } }
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, wesnoth_music: Path) -> Iterator[Bay]:
    """A library that one process made; another one serves it."""
    bay = Bay(tmp_path_factory.mktemp("wesnoth") / "data")
    done = bay.up("--music", str(wesnoth_music), timeout_s=600)
    assert done.returncode == 0, done.stderr
    with bay.serving():
        yield bay


def test_all_tracks_are_processed_completely(served: Bay, wesnoth_music: Path) -> None:
    check_complete(served, len(list(wesnoth_music.rglob("*.ogg"))))
    hits = served.json("search", "northern mountians")
    assert "Over the Northern Mountains" in [hit["title"] for hit in hits[:3]]


def test_the_readmes_list_of_tracks_answers(served: Bay) -> None:
    found = served.ask(LISTING)["tracks"]
    assert found["totalCount"] == len(found["edges"]) > 0
    for edge in found["edges"]:
        assert 80 <= edge["node"]["tempoBpm"] <= 100
        assert -70 < edge["node"]["analysis"]["loudnessLufs"] < 0
    artists = [edge["node"]["artists"] for edge in found["edges"]]
    assert artists == sorted(artists)


def test_the_readmes_search_has_facets_and_similar_tracks(served: Bay) -> None:
    assert served.ask(SEARCH)["search"]["totalCount"] == 0, "no title has the word blue"
    found = served.ask(SEARCH.replace("blue", "battle"))["search"]
    (hit,) = found["hits"]
    assert "Battle" in hit["track"]["title"]
    assert len({near["track"]["title"] for near in hit["track"]["similar"]} - {""}) == 5
    assert {"artist", "key"} <= {facet["name"].lower() for facet in found["facets"]}


def test_the_readmes_subscription_sends_progress(served: Bay) -> None:
    progress = first_message(served.url, PROGRESS)["scanProgress"]
    assert progress["status"] == {"tracks": 41, "analyzed": 41, "pending": 0, "failed": 0}
    assert {stage["done"] for stage in progress["stages"]} == {41}


def first_message(url: str, subscription: str) -> JSON:
    """The first message of a subscription, by the protocol of browsers' clients."""
    protocol = Subprotocol("graphql-transport-ws")
    address = url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[protocol], proxy=None) as connection:
        connection.send(json.dumps({"type": "connection_init"}))
        assert json.loads(connection.recv(10))["type"] == "connection_ack"
        payload = {"query": subscription}
        connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        message: JSON = json.loads(connection.recv(10))["payload"]
    assert "errors" not in message, message
    data: JSON = message["data"]
    return data


def first_hits(served: Served) -> dict[str, set[str]]:
    """The paths of the first hits, by query."""
    answers = {text: served.ask(FIRST_HITS, text=text, first=FIRST)["search"] for text in QUERIES}
    return {
        text: {hit["track"]["displayPath"] for hit in answer["hits"]}
        for text, answer in answers.items()
    }


@pytest.mark.timeout(600)
def test_five_services_make_the_same_library(
    tmp_path: Path, wesnoth_music: Path, served: Bay
) -> None:
    assert len(set(QUERIES)) == 30
    try:
        kafka.fetch()
        node = opensearch.node(opensearch.fetch(), tmp_path / "opensearch")
    except NotFetched as error:
        pytest.skip(f"a server is not available here: {error}")
    alone = tables(EmbeddedPostgres(served.data / "postgres").dsn), first_hits(served)
    node.start()
    settings = {"SONIQUEBAY_SEARCH": "opensearch", "SONIQUEBAY_OPENSEARCH_URL": node.url}
    try:
        with cluster_in(tmp_path / "cluster", settings) as cluster:
            together = process(cluster, wesnoth_music)
    finally:
        node.kill()
    assert len(alone[0]["tracks"]) == len(list(wesnoth_music.rglob("*.ogg")))
    different = differences(alone[0], together[0])
    assert not different, "\n".join(different[:20])
    assert sum(map(bool, alone[1].values())) > len(QUERIES) * 2 / 3, "most queries find something"
    assert together[1] == alone[1]


def process(cluster: Cluster, music: Path) -> tuple[Tables, dict[str, set[str]]]:
    cluster.start()
    cluster.json("scan", str(music))
    cluster.wait_until_idle()
    stored = tables(database_url(cluster.database))
    answers = first_hits(cluster)
    assert all(codes == [0] for codes in cluster.stop().values())
    return stored, answers
