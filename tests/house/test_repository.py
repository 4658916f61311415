"""The version, the changelog, `make help` and the repository's configuration agree."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from soniquebay.cli import commands

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PROJECTS = [
    ROOT / "pyproject.toml",
    ROOT / "shared/pyproject.toml",
    *sorted(ROOT.glob("services/*/pyproject.toml")),
]
PACKAGES = [ROOT / "soniquebay", *(path.parent for path in PROJECTS[1:])]
TARGETS = re.findall(r"^([a-z-]+):(?! export)", MAKEFILE, re.MULTILINE)


def version(project: Path) -> str:
    return str(tomllib.loads(project.read_text())["project"]["version"])


VERSION = version(PROJECTS[0])


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_all_packages_have_the_version_of_the_root(project: Path) -> None:
    assert version(project) == VERSION


def test_the_command_line_shows_the_version() -> None:
    shown = CliRunner().invoke(commands, ["--version"])
    assert shown.output.split()[-1] == VERSION


def test_the_newest_version_of_the_changelog_is_the_version() -> None:
    sections = re.findall(r"^## \[(.+?)\](.*)$", CHANGELOG, re.MULTILINE)
    assert sections[0] == ("Unreleased", "")
    assert sections[1][0] == VERSION
    assert all(re.fullmatch(r" - \d{4}-\d{2}-\d{2}", date) for _, date in sections[1:])


def test_the_changelog_has_the_kinds_of_changes_that_keep_a_changelog_names() -> None:
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_make_target_is_phony_and_has_a_help() -> None:
    assert TARGETS
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    assert set(phony) == set(TARGETS)
    assert re.findall(r"^([a-z-]+):.* ## \S", MAKEFILE, re.MULTILINE) == TARGETS


def test_make_help_lists_every_target_in_a_group() -> None:
    text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in TARGETS:
        assert re.search(rf"^  {target} +\S", text.stdout, re.MULTILINE), target
    for group in re.findall(r"^## (.+)$", MAKEFILE, re.MULTILINE):
        assert f"\n{group}\n" in text.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_says_that_it_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()


def test_pre_commit_runs_what_make_lint_runs_and_downloads_nothing() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    programs = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in repos[0]["hooks"]}
    recipe = MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0]
    assert programs == set(re.findall(r"\$\(VENV\)/bin/([a-z-]+)", recipe))


def test_dependabot_looks_at_every_dockerfile() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    (docker,) = (update for update in updates if update["package-ecosystem"] == "docker")
    folders = {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("services/*/Dockerfile")}
    assert set(docker["directories"]) == folders


@pytest.mark.parametrize("form", ["bug", "feature"])
def test_an_issue_form_is_valid(form: str) -> None:
    template = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{form}.yml").read_text())
    assert template["name"]
    assert template["description"]
    inputs = [part for part in template["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in inputs}) == len(inputs)
    assert all(part["attributes"]["label"] for part in inputs)
