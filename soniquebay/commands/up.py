"""`up`: run everything on this machine."""

import os

import click
from pydantic import ValidationError

from shared.contracts.errors import PipelineError
from shared.runtime.settings import Settings
from soniquebay.output import say


@click.command()
@click.option(
    "--music",
    "music",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=str),
    help="Scan this folder. Repeat it for several folders.",
)
@click.option("--demo", is_flag=True, help="Render and scan the demo library: 24 short pieces.")
@click.option("--until-idle", is_flag=True, help="End when all work is done.")
@click.option(
    "--watch/--no-watch",
    default=None,
    help="Watch the libraries and scan what changes. Default: SONIQUEBAY_WATCH, otherwise yes.",
)
def up(music: tuple[str, ...], demo: bool, until_idle: bool, watch: bool | None) -> None:
    """Run everything on this machine: all services, the database, the gateway.

    It scans the given folders, shows progress, and then answers queries until Ctrl-C. Meanwhile
    it watches the libraries and scans what changes. Without --music it serves the libraries that
    it already knows.

    A folder that cannot be scanned gives exit code 1. A file that cannot be read does not:
    `soniquebay failures` lists it. SONIQUEBAY_DATA_DIR names the data folder, SONIQUEBAY_PORT the
    port of the gateway.

    \b
    soniquebay up --music ~/Music
    soniquebay up --music ~/Music --until-idle && echo done
    """
    if watch and until_idle:
        raise click.UsageError("--watch never ends, --until-idle does: use only one of them")
    # abspath, not resolve(): a root that is a symbolic link may point to another disk later, and
    # must stay the same library then.
    roots = [os.path.abspath(folder) for folder in music]  # noqa: PTH100 - see above
    try:
        settings = _settings()
        if watch is None:
            watch = settings.watch if "watch" in settings.model_fields_set else True
        settings = settings.model_copy(update={"watch": watch and not until_idle})
        say(f"starting; the library's data is in {settings.data_dir}")
        from soniquebay.up import run  # noqa: PLC0415 - imports all services, which takes a second

        succeeded = run(settings, roots=roots, demo=demo, until_idle=until_idle)
    except PipelineError as error:
        raise click.ClickException(str(error)) from None
    if not succeeded:
        raise click.exceptions.Exit(1)


def _settings() -> Settings:
    """The settings of the environment.

    Raises:
        click.UsageError: one has a wrong value.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for each in error.errors(include_url=False):
            name = "SONIQUEBAY_" + "_".join(str(part) for part in each["loc"]).upper()
            lines.append(f"{name}: {each['msg']}")
        raise click.UsageError("; ".join(lines)) from None
