"""Real music on five services with a broker, a database and OpenSearch: as in one process."""

from pathlib import Path

import pytest

from services.api.store.embedded import EmbeddedPostgres
from tests.e2e.cluster import Cluster, cluster_in, database_url
from tests.e2e.running import Bay, Served
from tests.e2e.tables import Tables, differences, tables
from tests.engines import kafka, opensearch
from tests.fetch_debian import NotFetched

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


SEARCH = """query Search($text: String!, $first: Int!) {
  search(text: $text, first: $first) { hits { track { displayPath } } }
}"""


def found(served: Served) -> dict[str, set[str]]:
    """The paths of the first few, by query."""
    answers = {told: served.ask(SEARCH, text=told, first=FIRST)["search"] for told in QUERIES}
    return {
        told: {hit["track"]["displayPath"] for hit in answer["hits"]}
        for told, answer in answers.items()
    }


@pytest.mark.timeout(600)
def test_real_music_becomes_the_same_library_as_in_one_process(
    tmp_path: Path, wesnoth_music: Path, wesnoth_bay: Bay
) -> None:
    assert len(set(QUERIES)) == 30
    try:
        kafka.fetch()
        node = opensearch.node(opensearch.fetch(), tmp_path / "opensearch")
    except NotFetched as error:
        pytest.skip(f"a server cannot be had here: {error}")
    with wesnoth_bay.serving():
        alone = tables(EmbeddedPostgres(wesnoth_bay.data / "postgres").dsn), found(wesnoth_bay)
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
