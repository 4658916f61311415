"""up."""

import os

import click

from shared.contracts.errors import PipelineError
from shared.runtime.settings import Settings


@click.command()
@click.option(
    "--music",
    "music",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=str),
    help="Scan this folder. May be given several times.",
)
@click.option("--demo", is_flag=True, help="Render and scan the demo library: 24 short pieces.")
@click.option("--until-idle", is_flag=True, help="End when all work is done.")
def up(music: tuple[str, ...], demo: bool, until_idle: bool) -> None:
    """Run everything on this machine: all services, the database, the gateway.

    Scans what is named, shows progress, then serves until Ctrl-C. Without --music it serves what
    is known already. A file that cannot be read is listed by `soniquebay failures` and is no
    reason for a bad exit code; a folder that cannot be scanned is. Where the data goes and which
    port is used: SONIQUEBAY_DATA_DIR and SONIQUEBAY_PORT.

    \b
    soniquebay up --music ~/Music
    soniquebay up --music ~/Music --until-idle && echo done
    """
    from soniquebay.up import run  # noqa: PLC0415 - imports all services; other commands need none

    roots = [os.path.abspath(folder) for folder in music]  # noqa: PTH100 - keeps symbolic links
    try:
        succeeded = run(Settings(), roots=roots, demo=demo, until_idle=until_idle)
    except PipelineError as error:
        raise click.ClickException(str(error)) from None
    if not succeeded:
        raise click.exceptions.Exit(1)
