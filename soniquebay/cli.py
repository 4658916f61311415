"""The command line: `soniquebay`."""

import sys

import click
from pydantic import ValidationError

from soniquebay.commands.correcting import correct
from soniquebay.commands.finding import search, show, similar
from soniquebay.commands.pausing import pause, resume
from soniquebay.commands.running import up
from soniquebay.commands.working import failures, replay, scan, status


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are environment variables SONIQUEBAY_...: see docs/configuration.md.",
)
@click.version_option(package_name="soniquebay")
def commands() -> None:
    """Turn folders of music into a library one can query.

    Begin with `soniquebay up --music DIR`; the other commands talk to the gateway that it starts
    (or to a cluster's: SONIQUEBAY_GATEWAY_URL).
    """


for command in (up, scan, status, search, similar, show, correct, pause, resume, failures, replay):
    commands.add_command(command)


def main() -> None:
    """Run a command. Exit code 0: fine, 1: something failed, 2: wrong usage."""
    try:
        commands()
    except ValidationError as error:  # of the settings
        for each in error.errors(include_url=False):
            name = "SONIQUEBAY_" + "_".join(str(part) for part in each["loc"]).upper()
            click.echo(f"Error: {name}: {each['msg']}", err=True)
        sys.exit(2)
