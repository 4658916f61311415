"""pause, resume."""

import click

from shared.runtime.settings import Settings
from soniquebay.commands.finding import as_json_option
from soniquebay.documents import PAUSE, RESUME
from soniquebay.gateway import Gateway
from soniquebay.output import print_json


@click.command()
@as_json_option
def pause(as_json: bool) -> None:
    """Analyse nothing more until `soniquebay resume`, over restarts too.

    What is under way is finished first, a few files a worker. Scans, searches and all the rest
    go on; `soniquebay status` tells that it is paused.
    """
    changed = Gateway(Settings()).execute(PAUSE)["pauseAnalysis"]
    if as_json:
        print_json({"paused": True, "changed": changed})
    else:
        click.echo("the analysis is paused" if changed else "the analysis was paused already")


@click.command()
@as_json_option
def resume(as_json: bool) -> None:
    """Go on with the analysis that `soniquebay pause` paused.

    It begins again within some seconds, where it stopped.
    """
    changed = Gateway(Settings()).execute(RESUME)["resumeAnalysis"]
    if as_json:
        print_json({"paused": False, "changed": changed})
    else:
        click.echo("the analysis goes on" if changed else "the analysis was not paused")
