import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from shared.runtime.settings import Settings
from soniquebay import gateway
from soniquebay.cli import commands
from soniquebay.tracks import choose_track

NAMES = (
    "up", "scan", "status", "search", "similar", "show", "correct", "import-collection",
    "pause", "resume", "failures", "replay", "library", "purge",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_help(name: str) -> None:
    result = CliRunner().invoke(commands, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["search"], ["similar"], ["search", "x", "--limit", "0"],
     ["failures", "--stage", "x"], ["replay", "--topic", "x"],
     ["correct"], ["correct", "x", "--key", "H"], ["correct", "x", "--tempo", "7"],
     ["correct", "x", "--tempo", "90", "--clear", "tempo"], ["correct", "x", "--clear", "y"],
     ["import-collection"], ["import-collection", "/nowhere/at/all"],
     ["library", "nonsense"], ["library", "move", "music"], ["library", "remove"], ["purge"],
     ["purge", "--older-than", "-1"], ["purge", "--older-than", "soon"],
     ["up", "--music", "/nowhere/at/all"], ["up", "--watch", "--until-idle"]],
)  # fmt: skip
def test_wrong_usage_has_exit_code_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(commands, arguments).exit_code == 2


def track(id_: str, title: str) -> dict[str, object]:
    return {"id": id_, "title": title, "artists": ["Somebody"]}


def test_a_track_is_the_only_hit_or_the_only_one_with_the_exact_title() -> None:
    assert choose_track("night", [track("trk_1", "Night Ferry")]) == "trk_1"
    several = [track("trk_1", "Night Ferry"), track("trk_2", "Night"), track("trk_3", "Nightly")]
    assert choose_track(" NIGHT ", several) == "trk_2"


def test_no_track_or_several_tracks_are_an_error_that_lists_them() -> None:
    with pytest.raises(click.ClickException, match="soniquebay search"):
        choose_track("night", [])
    with pytest.raises(click.ClickException, match=r"(?s)trk_1.*trk_2"):
        choose_track("night", [track("trk_1", "Night Ferry"), track("trk_2", "Night Train")])


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_in_the_help(name: str) -> None:
    assert f"\n  {name} " in CliRunner().invoke(commands, ["--help"]).output


def test_status_imports_no_large_library() -> None:
    code = "import sys, soniquebay.commands.status; print(*sys.modules)"
    # An own process: this one has imported everything already.
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(run.stdout.split())
    assert "soniquebay.gateway" in imported
    assert imported.isdisjoint({"pydantic", "httpx", "rich", "msgspec", "asyncio", "numpy"})


def test_the_commands_look_for_the_gateway_where_it_listens_by_default() -> None:
    assert Settings.model_fields["host"].default == gateway.DEFAULT_HOST
    assert Settings.model_fields["port"].default == gateway.DEFAULT_PORT


@pytest.mark.parametrize("port", ["", "x", "-1"])
def test_a_port_that_is_none_is_wrong_usage(port: str) -> None:
    with pytest.raises(click.UsageError, match="SONIQUEBAY_PORT"):
        gateway.Gateway({"SONIQUEBAY_PORT": port})


@pytest.mark.parametrize("url", ["nonsense", "http://[", "http://x:y"])
def test_a_gateway_that_cannot_be_asked_is_one_clear_line(url: str) -> None:
    with pytest.raises(click.ClickException, match="gateway at"):
        gateway.Gateway({"SONIQUEBAY_GATEWAY_URL": url}).execute("{ __typename }")
