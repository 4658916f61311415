"""Real music: whole in one process, README's queries on it, and the same on five services.

One file, since all of it looks at one library that one process made.
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
from tests.e2e.complete import check_complete
from tests.e2e.running import JSON, Bay, Served
from tests.e2e.tables import Tables, differences, tables
from tests.engines import kafka, opensearch
from tests.fetch_debian import NotFetched

README = (Path(__file__).parents[2] / "README.md").read_text()
LISTING, SEARCH, PROGRESS = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
FIRST = 5
QUERIES = (
    # Whole words, parts of words, two words, both orders, misspelt, without accents, the artist,
    # the album, the file's own words; and what is not there.
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
    """All done by one process that has ended, and served by another one."""
    bay = Bay(tmp_path_factory.mktemp("wesnoth") / "data")
    done = bay.up("--music", str(wesnoth_music), timeout_s=600)
    assert done.returncode == 0, done.stderr
    with bay.serving():
        yield bay


def test_it_gets_through_whole(served: Bay, wesnoth_music: Path) -> None:
    check_complete(served, len(list(wesnoth_music.rglob("*.ogg"))))
    hits = served.json("search", "northern mountians")
    assert "Over the Northern Mountains" in [hit["title"] for hit in hits[:3]]


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


def found(served: Served) -> dict[str, set[str]]:
    """The paths of the first few, by query."""
    answers = {told: served.ask(FIRST_HITS, text=told, first=FIRST)["search"] for told in QUERIES}
    return {
        told: {hit["track"]["displayPath"] for hit in answer["hits"]}
        for told, answer in answers.items()
    }


@pytest.mark.timeout(600)
def test_on_five_services_it_becomes_the_same_library(
    tmp_path: Path, wesnoth_music: Path, served: Bay
) -> None:
    assert len(set(QUERIES)) == 30
    try:
        kafka.fetch()
        node = opensearch.node(opensearch.fetch(), tmp_path / "opensearch")
    except NotFetched as error:
        pytest.skip(f"a server cannot be had here: {error}")
    alone = tables(EmbeddedPostgres(served.data / "postgres").dsn), found(served)
    node.start()
    settings = {"SONIQUEBAY_SEARCH": "opensearch", "SONIQUEBAY_OPENSEARCH_URL": node.url}
    try:
        with cluster_in(tmp_path / "cluster", settings) as cluster:
            together = run(cluster, wesnoth_music)
    finally:
        node.kill()
    assert len(alone[0]["tracks"]) == len(list(wesnoth_music.rglob("*.ogg")))
    different = differences(alone[0], together[0])
    assert not different, "\n".join(different[:20])
    assert sum(map(bool, alone[1].values())) > len(QUERIES) * 2 / 3, "most queries find something"
    assert together[1] == alone[1]


def run(cluster: Cluster, music: Path) -> tuple[Tables, dict[str, set[str]]]:
    cluster.start()
    cluster.json("scan", str(music))
    cluster.wait_until_idle()
    stored = tables(database_url(cluster.database))
    answers = found(cluster)
    assert all(codes == [0] for codes in cluster.stop().values())
    return stored, answers
