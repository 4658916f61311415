"""The compose file, the settings and .env.example agree, and nothing is exposed by mistake."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("api", "extractor", "analyzer", "vectorizer", "indexer")
JOBS = {"ollama-model"}
PUBLISHED = {"api", "grafana"}
WRITABLE = {"redpanda", "opensearch"}
"""Their start scripts write configuration files, so their root file system is writable."""
ROOT_BY_IMAGE = {"ollama-model"}
"""It writes the models into a new volume, which belongs to root; it has no capability."""
NOT_ROOT_BY_IMAGE = {"redpanda", "console", "prometheus", "grafana", *OURS}
SETTINGS = {f"SONIQUEBAY_{name.upper()}" for name in Settings.model_fields}
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|_KEY|DATABASE_URL")
EXAMPLE = (ROOT / ".env.example").read_text()


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def environment(service: str) -> dict[str, str]:
    variables: dict[str, str] = SERVICES[service].get("environment", {})
    return variables


def test_the_five_services_are_built_from_their_own_dockerfiles() -> None:
    for name in OURS:
        build = {"context": ".", "dockerfile": f"services/{name}/Dockerfile"}
        assert SERVICES[name]["build"] == build


def test_other_images_are_pinned_by_version(service: str) -> None:
    if service not in OURS:
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+\.\d+[\w.-]*", SERVICES[service]["image"])


def test_a_service_has_a_health_check(service: str) -> None:
    if service in OURS:
        assert "\nHEALTHCHECK " in (ROOT / "services" / service / "Dockerfile").read_text()
    else:
        check = SERVICES[service]["healthcheck"]
        assert check.get("disable") if service in JOBS else check["test"]


def test_a_service_has_a_memory_limit_and_bounded_logs(service: str) -> None:
    assert SERVICES[service]["mem_limit"]
    assert SERVICES[service]["logging"]["options"]["max-size"]


def test_a_service_has_no_more_rights_than_it_needs(service: str) -> None:
    definition = SERVICES[service]
    assert definition["cap_drop"] == ["ALL"]
    assert definition["security_opt"] == ["no-new-privileges:true"]
    assert definition["read_only"] is (service not in WRITABLE)
    has_user = not str(definition.get("user", "root")).startswith(("root", "0"))
    assert has_user or service in NOT_ROOT_BY_IMAGE | ROOT_BY_IMAGE


def test_a_service_can_have_several_containers(service: str) -> None:
    assert "container_name" not in SERVICES[service]
    assert "hostname" not in SERVICES[service]
    if service not in PUBLISHED:
        assert "ports" not in SERVICES[service]


@pytest.mark.parametrize("published", sorted(PUBLISHED))
def test_the_gateway_and_grafana_are_published_on_loopback_by_default(
    published: str,
) -> None:
    (port,) = SERVICES[published]["ports"]
    assert port.startswith("${SONIQUEBAY_BIND:-127.0.0.1}:")


def test_only_services_that_need_it_have_access_to_the_internet(service: str) -> None:
    outside = {*PUBLISHED, "analyzer", "ollama-model"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert ("outside" in SERVICES[service]["networks"]) is (service in outside)


def test_music_is_mounted_read_only_where_files_are_read() -> None:
    mounts = {
        name: mount
        for name, definition in SERVICES.items()
        for mount in definition.get("volumes", [])
        if isinstance(mount, dict)
    }
    assert set(mounts) == {"extractor", "analyzer"}
    assert all(mount["read_only"] for mount in mounts.values())


def test_every_setting_in_the_compose_file_exists(service: str) -> None:
    settings = {name for name in environment(service) if name.startswith("SONIQUEBAY_")}
    assert service in OURS or settings <= {"SONIQUEBAY_OLLAMA_MODEL"}
    assert settings <= SETTINGS


def test_no_secret_has_a_value_in_the_compose_file(service: str) -> None:
    for name, value in environment(service).items():
        if SECRET.search(name):
            assert re.search(r"\$\{[A-Z_]+:(\?|-\})", value), name


def test_a_stop_waits_longer_than_the_drain() -> None:
    drain_s = Settings.model_fields["drain_timeout_s"].default
    for name in OURS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > drain_s


def test_the_example_has_every_variable_once_and_no_others() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", TEXT)) | {"COMPOSE_PROFILES"}
    shown = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    assert set(shown) == used
    live = re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    assert len(live) == len(set(live))


def test_required_variables_are_empty_in_the_example_or_a_choice() -> None:
    required = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
    live = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert required <= set(live)
    assert {name for name in required if live[name]} == {
        "SONIQUEBAY_SEARCH",
        "SONIQUEBAY_EMBEDDER",
    }


def test_the_defaults_in_the_example_are_those_of_the_compose_file() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT))
    below = EXAMPLE.partition("All below may be left")[2]
    assert dict(re.findall(r"^#([A-Z_]+)=(.*)$", below, re.MULTILINE)) == defaults


def test_the_small_cluster_sets_variables_of_the_example() -> None:
    shown = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    variables = re.findall(r"^([A-Z_]+)=", (ROOT / "ops" / "small.env").read_text(), re.MULTILINE)
    assert variables
    assert set(variables) <= shown
