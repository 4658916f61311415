"""`failures` and `replay`: list failures, and try them again."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from shared.contracts.topics import Topic
from soniquebay.documents import FAILURES, REPLAY
from soniquebay.gateway import Gateway
from soniquebay.output import json_option, print_json, say
from soniquebay.tables import print_table

_PAGE_SIZE = 500  # the most that the gateway allows
_STAGES = ("extractor.walk", "extractor.read", "analyzer", "vectorizer", "indexer")
_TOPICS = tuple(topic.value for topic in Topic)
_KINDS = ("invalid", "transient", "dependency", "bug")


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select failures; the command gets the gateway's FailureFilter."""

    @wraps(command)
    def filtered(
        stage: str | None, kind: str | None, topic: str | None, track: str | None, **rest: Any
    ) -> None:
        kind = kind.upper() if kind else None
        command({"stage": stage, "kind": kind, "topic": topic, "trackId": track}, **rest)

    for option in (
        click.option("--track", metavar="ID", help="Only failures of this track (its id)."),
        click.option("--topic", type=click.Choice(_TOPICS), help="Only failures of this topic."),
        click.option("--kind", type=click.Choice(_KINDS), help="Only failures of this kind."),
        click.option("--stage", type=click.Choice(_STAGES), help="Only failures of this stage."),
    ):
        filtered = option(filtered)
    return filtered


@click.command()
@_filter_options
@json_option
def failures(failure_filter: dict[str, str | None], as_json: bool) -> None:
    """List what failed, and why.

    The next scan reads a file again once it has changed. For other failures, fix the cause and
    run `soniquebay replay`.
    """
    gateway = Gateway()
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        variables = {"first": _PAGE_SIZE, "after": after, "filter": failure_filter}
        connection = gateway.execute(FAILURES, variables)["failures"]
        rows += [_failure(edge["node"]) for edge in connection["edges"]]
        if not connection["pageInfo"]["hasNextPage"]:
            break
        after = connection["pageInfo"]["endCursor"]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("path", "stage", "kind", "message"),
            [(row["path"] or "", row["stage"], row["kind"], row["message"]) for row in rows],
        )
    else:
        say("nothing failed")


def _failure(node: dict[str, Any]) -> dict[str, Any]:
    """A failure as `--json` prints it."""
    return {
        "path": node["displayPath"],
        "stage": node["stage"],
        "kind": node["kind"].lower(),
        "message": node["message"],
        "detail": node["detail"],
        "attempts": node["attempts"],
        "id": node["id"],
        "track_id": node["trackId"],
        "scan_id": node["scanId"],
        "topic": node["topic"],
        "failed_at": node["failedAt"],
    }


@click.command()
@_filter_options
@json_option
def replay(failure_filter: dict[str, str | None], as_json: bool) -> None:
    """Try again what failed: everything, or what the options select."""
    result = Gateway().execute(REPLAY, {"filter": failure_filter})["replayFailures"]
    if as_json:
        print_json({"replayed": result["replayed"]})
    else:
        count = result["replayed"]
        click.echo(
            f"trying {count:,} again; see `soniquebay status`" if count else "nothing to try"
        )
