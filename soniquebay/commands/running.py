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
@click.option(
    "--watch/--no-watch",
    default=None,
    help="Scan what changes while it serves. Without a word: yes, or as SONIQUEBAY_WATCH says.",
)
def up(music: tuple[str, ...], demo: bool, until_idle: bool, watch: bool | None) -> None:
    """Run everything on this machine: all services, the database, the gateway.

    Scans what is named, shows progress, then serves until Ctrl-C, and scans what changes in the
    libraries meanwhile. Without --music it serves what is known already. A file that cannot be read
    is listed by `soniquebay failures` and is no reason for a bad exit code; a folder that cannot be
    scanned is. Where the data goes and which port is used: SONIQUEBAY_DATA_DIR and SONIQUEBAY_PORT.

    \b
    soniquebay up --music ~/Music
    soniquebay up --music ~/Music --until-idle && echo done
    """
    from soniquebay.up import run  # noqa: PLC0415 - imports all services; other commands need none

    if watch and until_idle:
        raise click.UsageError("--watch goes on; --until-idle ends: choose one of them")
    roots = [os.path.abspath(folder) for folder in music]  # noqa: PTH100 - keeps symbolic links
    try:
        settings = Settings()
        if watch is None:
            watch = settings.watch if "watch" in settings.model_fields_set else True
        settings = settings.model_copy(update={"watch": watch and not until_idle})
        succeeded = run(settings, roots=roots, demo=demo, until_idle=until_idle)
    except PipelineError as error:
        raise click.ClickException(str(error)) from None
    if not succeeded:
        raise click.exceptions.Exit(1)
