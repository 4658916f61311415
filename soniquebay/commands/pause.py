"""`pause` and `resume`: pause and continue the analysis."""

import click

from soniquebay.documents import PAUSE, RESUME
from soniquebay.gateway import Gateway
from soniquebay.output import json_option, print_json


@click.command()
@json_option
def pause(as_json: bool) -> None:
    """Pause the analysis until `soniquebay resume`, even over restarts.

    Files that are being analysed are finished first, a few for each worker. Scans, searches and
    everything else continue. `soniquebay status` shows that the analysis is paused.
    """
    changed = Gateway().execute(PAUSE)["pauseAnalysis"]
    if as_json:
        print_json({"paused": True, "changed": changed})
    else:
        click.echo("analysis paused" if changed else "the analysis was already paused")


@click.command()
@json_option
def resume(as_json: bool) -> None:
    """Continue the analysis that `soniquebay pause` paused.

    It continues within seconds, where it stopped.
    """
    changed = Gateway().execute(RESUME)["resumeAnalysis"]
    if as_json:
        print_json({"paused": False, "changed": changed})
    else:
        click.echo("analysis resumed" if changed else "the analysis was not paused")
