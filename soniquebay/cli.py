"""The command line: `soniquebay`."""

import sys

import click
from pydantic import ValidationError

from soniquebay.commands.correct import correct
from soniquebay.commands.failures import failures, replay
from soniquebay.commands.library import library, purge
from soniquebay.commands.pause import pause, resume
from soniquebay.commands.scan import scan, status
from soniquebay.commands.search import search, similar
from soniquebay.commands.show import show
from soniquebay.commands.up import up


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are environment variables SONIQUEBAY_...: see docs/configuration.md.",
)
@click.version_option(package_name="soniquebay")
def commands() -> None:
    """Turn folders of music into a library that you can query.

    Begin with `soniquebay up --music DIR`. The other commands talk to the gateway that it starts,
    or to the one of a cluster (SONIQUEBAY_GATEWAY_URL).
    """


for command in (
    up, scan, status, search, similar, show, correct, pause, resume, failures, replay, library,
    purge,
):  # fmt: skip
    commands.add_command(command)


def main() -> None:
    """Run a command. Exit code 0: success, 1: something failed, 2: wrong usage."""
    try:
        commands()
    except ValidationError as error:  # a setting has a wrong value
        for each in error.errors(include_url=False):
            name = "SONIQUEBAY_" + "_".join(str(part) for part in each["loc"]).upper()
            click.echo(f"Error: {name}: {each['msg']}", err=True)
        sys.exit(2)
