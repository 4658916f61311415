"""The command line: `soniquebay`."""

from importlib import import_module

import click

_MODULES = {
    "up": "up", "scan": "scan", "status": "status", "search": "search", "similar": "search",
    "show": "show", "correct": "correct", "import-collection": "import_collection",
    "pause": "pause", "resume": "pause", "failures": "failures", "replay": "failures",
    "library": "library", "purge": "library",
}  # fmt: skip
"""The module of `soniquebay.commands` by command, in the order of the help."""


class _Commands(click.Group):
    """Imports the module of a command only when it is asked for, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"soniquebay.commands.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are environment variables SONIQUEBAY_...: see docs/configuration.md.",
)
@click.version_option(package_name="soniquebay")
def commands() -> None:
    """Turn folders of music into a library that you can query.

    Begin with `soniquebay up --music DIR`. The other commands talk to the gateway that it starts,
    or to the one of a cluster (SONIQUEBAY_GATEWAY_URL).
    """


def main() -> None:
    """Run a command. Exit code 0: success, 1: something failed, 2: wrong usage."""
    commands()
