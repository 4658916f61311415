"""`status`: show how far everything is."""

import click

from soniquebay.documents import STATUS
from soniquebay.gateway import Gateway
from soniquebay.output import json_option, print_json, say, unresolved_line


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show how far everything is: tracks, stages, failures."""
    counts = Gateway().execute(STATUS)["status"]
    if as_json:
        print_json(counts)
        return
    names = (
        "tracks", "files", "artists", "albums", "genres", "missing", "analyzed", "vectorized",
        "indexed", "damaged", "failed", "pending",
    )  # fmt: skip
    for name in names:
        click.echo(f"{name:<12}{counts[name]:,}")
    for stage in counts["paused"]:
        say(f"{stage['stage']} waits: {stage['reason']}")
    if counts["failed"]:
        say("to see what failed, and why: soniquebay failures")
    for scan in counts["unresolvedScans"]:
        say(unresolved_line(scan))
