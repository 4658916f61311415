"""The five Dockerfiles: the same pinned base, the lock file, and an unprivileged user."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("api", "extractor", "analyzer", "vectorizer", "indexer")
TEXTS = {name: (ROOT / "services" / name / "Dockerfile").read_text() for name in NAMES}
UV_VERSION = re.findall(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.fixture(params=NAMES)
def text(request: pytest.FixtureRequest) -> str:
    return TEXTS[request.param]


def test_all_start_from_the_same_pinned_python() -> None:
    bases = {base for text in TEXTS.values() for base in re.findall(r"^FROM (\S+)", text, re.M)}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())


def test_it_installs_from_the_lock_with_the_uv_of_the_makefile(text: str) -> None:
    assert re.findall(r" uv==(\S+)", text) == UV_VERSION
    installs = re.findall(r"^RUN uv sync (.+)$", text, re.MULTILINE)
    assert len(installs) == 2
    for options in installs:
        assert options.startswith("--locked --no-dev --no-editable ")
        assert options.endswith(" --extra cluster")


def test_it_installs_its_own_service_and_no_other() -> None:
    for name, text in TEXTS.items():
        assert set(re.findall(r"--package (\S+)", text)) == {f"soniquebay-{name}"}
        assert re.findall(r"^COPY services/(\w+) ", text, re.MULTILINE) == [name]
        assert f'ENTRYPOINT ["python", "-m", "services.{name}"]' in text


def test_every_member_of_the_workspace_is_copied_for_the_lock(text: str) -> None:
    members = {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}
    assert set(re.findall(r"^COPY services/(\w+)/pyproject.toml ", text, re.M)) == members


def test_it_runs_as_an_unprivileged_user_with_a_health_check(text: str) -> None:
    final = text.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["10001:10001"]
    assert "\nHEALTHCHECK " in final
    assert "/readyz" in final
    assert "STOPSIGNAL SIGTERM" in final


def test_system_packages_are_installed_for_the_analyzer_alone() -> None:
    assert [name for name, text in TEXTS.items() if "apt-get" in text] == ["analyzer"]
