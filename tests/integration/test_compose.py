"""Docker Compose reads the compose file: the full and small profiles, and missing variables."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.engines.compose import Refused, config, fetch
from tests.fetch_debian import NotFetched

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SMALL_ENV = ROOT / "ops" / "small.env"
EXAMPLE = (ROOT / ".env.example").read_text()
REQUIRED = re.findall(r"\$\{([A-Z_]+):\?", FILE.read_text())
SMALL = {"api", "extractor", "analyzer", "vectorizer", "indexer",
         "postgres", "redpanda", "prometheus", "grafana"}  # fmt: skip


@pytest.fixture(scope="session")
def program() -> Path:
    try:
        return fetch()
    except NotFetched as error:
        pytest.skip(f"Docker Compose is not available here: {error}")


@pytest.fixture
def read(program: Path, tmp_path: Path) -> Any:
    """Reads the compose file with the settings of .env.example, filled in, and changes."""

    def read(*overrides: Path, small: bool = False, **changes: str) -> dict[str, Any]:
        variables = dict.fromkeys(re.findall(r"(?m)^([A-Z_]+)=$", EXAMPLE), "filled-in")
        variables |= {"SONIQUEBAY_MUSIC": "/srv/music"} | changes
        env_file = tmp_path / ".env"
        filled = "".join(f"{name}={value}\n" for name, value in variables.items())
        env_file.write_text(EXAMPLE + filled + (SMALL_ENV.read_text() if small else ""))
        return config(program, [FILE, *overrides], env_file)

    return read


def test_the_full_profile_has_all_services(read: Any) -> None:
    found = read()["services"]
    assert set(found) == SMALL | {"console", "opensearch", "ollama", "ollama-model"}
    environment = found["api"]["environment"]
    assert environment["SONIQUEBAY_SEARCH"] == "opensearch"
    assert environment["SONIQUEBAY_TOKEN"] == "filled-in"
    assert ":filled-in@postgres:5432" in environment["SONIQUEBAY_DATABASE_URL"]
    assert found["analyzer"]["depends_on"]["api"]["condition"] == "service_healthy"
    model = found["ollama"]["depends_on"]["ollama-model"]
    assert model["condition"] == "service_completed_successfully"


def test_the_small_profile_has_neither_opensearch_nor_ollama(read: Any) -> None:
    found = read(small=True)["services"]
    assert set(found) == SMALL
    assert found["indexer"]["environment"]["SONIQUEBAY_SEARCH"] == "tantivy"
    assert found["vectorizer"]["environment"]["SONIQUEBAY_EMBEDDER"] == "wordllama"
    shared = {"source": "search", "target": "/data"}
    for name in ("indexer", "api"):
        assert [shared.items() <= volume.items() for volume in found[name]["volumes"]] == [True]


def test_the_small_profile_leaves_a_machine_of_4_gb_some_memory(read: Any) -> None:
    limits = [int(service["mem_limit"]) for service in read(small=True)["services"].values()]
    assert sum(limits) < 3.75 * 1024**3


@pytest.mark.parametrize("name", dict.fromkeys(REQUIRED))
def test_a_missing_required_variable_is_named(read: Any, name: str) -> None:
    with pytest.raises(Refused, match=name):
        read(**{name: ""})


def test_only_the_gateway_and_grafana_are_published_and_only_on_loopback(read: Any) -> None:
    published = {
        (name, port["host_ip"], port["target"])
        for name, service in read()["services"].items()
        for port in service.get("ports", [])
    }
    assert published == {("api", "127.0.0.1", 8707), ("grafana", "127.0.0.1", 3000)}


def test_several_gateways_can_publish_a_range_of_ports(read: Any) -> None:
    (port,) = read(SONIQUEBAY_PUBLISHED_PORT="8707-8709")["services"]["api"]["ports"]
    assert port["published"] == "8707-8709"


def test_publish_tools_yml_publishes_the_tools_on_loopback(read: Any) -> None:
    found = read(ROOT / "ops" / "publish-tools.yml")["services"]
    for name in ("console", "prometheus"):
        assert [port["host_ip"] for port in found[name]["ports"]] == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["extractor", "analyzer"])
def test_music_is_mounted_read_only_from_its_folder(read: Any, name: str) -> None:
    (volume,) = read(SONIQUEBAY_MUSIC="/mnt/My Music")["services"][name]["volumes"]
    assert volume["source"] == "/mnt/My Music"
    assert volume["read_only"]
    assert not volume["bind"].get("create_host_path")
