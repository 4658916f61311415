"""scan, status, failures, replay."""

import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from shared.contracts.topics import Topic
from shared.runtime.settings import Settings
from soniquebay.commands.finding import as_json_option
from soniquebay.documents import FAILURES, REPLAY, REQUEST_SCAN, SCAN, STATUS
from soniquebay.gateway import Gateway, raise_user_error
from soniquebay.output import print_json, print_table, say
from soniquebay.progress import ProgressView

_LOOK_EVERY_S = 0.5
_BEGINS_WITHIN_S = 3.0  # an extractor that is busy or away begins later
_OVER = {"FINISHED", "HELD", "REFUSED"}
_NOT_DONE = {"HELD", "REFUSED"}
_PAGE = 500
_STAGES = ("extractor.walk", "extractor.read", "analyzer", "vectorizer", "indexer")
_TOPICS = tuple(topic.value for topic in Topic)
_KINDS = ("invalid", "transient", "dependency", "bug")


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--follow", is_flag=True, help="Show progress until all work is done.")
@click.option("--full", is_flag=True, help="Read every file again, changed or not.")
@click.option(
    "--accept-missing",
    is_flag=True,
    help="Files that are not seen are really gone, however many.",
)
@as_json_option
def scan(folder: str, follow: bool, full: bool, accept_missing: bool, as_json: bool) -> None:
    """Have DIR scanned: a library's root, a folder below one, or a new one.

    DIR is as the extractor sees it. Only what is new or changed is read. Where far less is seen
    than is known, as of a disk that is not mounted, nothing is marked missing: the scan is held,
    and the exit code 1, until you say --accept-missing.

    \b
    soniquebay scan ~/Music --follow
    """
    gateway = Gateway(Settings())
    root = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100,PTH111 - keeps symbolic links
    mode = "FULL" if full else "INCREMENTAL"
    told = {"root": root, "mode": mode, "acceptMissing": accept_missing}
    payload = gateway.execute(REQUEST_SCAN, {"input": told})["requestScan"]
    raise_user_error(payload)
    id_ = payload["scan"]["id"]
    found = _follow(gateway, id_) if follow else _begun(gateway, id_)
    if as_json:
        print_json(found)
    else:
        click.echo(told_scan(found))
    if found["state"] in _NOT_DONE:
        raise click.exceptions.Exit(1)


def _begun(gateway: Gateway, id_: str) -> dict[str, Any]:
    """The scan once its root was looked at, so that a refusal is told here and now."""
    until_s = time.monotonic() + _BEGINS_WITHIN_S
    while True:
        found: dict[str, Any] = gateway.execute(SCAN, {"id": id_})["scan"]
        seen = found["state"] in _OVER or found["filesSeen"]
        if seen or time.monotonic() > until_s:
            return found
        time.sleep(_LOOK_EVERY_S / 5)


def _follow(gateway: Gateway, id_: str) -> dict[str, Any]:
    with ProgressView() as view:
        while True:
            status = gateway.execute(STATUS)["status"]
            view.update(time.monotonic(), status)
            found: dict[str, Any] = gateway.execute(SCAN, {"id": id_})["scan"]
            if found["state"] in _OVER and (found["state"] == "REFUSED" or not status["pending"]):
                return found
            time.sleep(_LOOK_EVERY_S)


def told_scan(found: dict[str, Any]) -> str:
    """A scan in a line or two."""
    if found["state"] == "REFUSED":
        return f"refused: {found['message']}"
    counts = (
        f"{found['filesSeen']:,} files seen, {found['filesRead']:,} read,"
        f" {found['filesUnchanged']:,} unchanged, {found['filesMissing']:,} missing,"
        f" {found['filesFailed']:,} failed"
    )
    if found["filesHeld"]:
        counts += f", {found['filesHeld']:,} held"
    note = f"\nnote: {found['message']}" if found["message"] else ""
    return f"{found['state'].lower()}: {counts}{note}"


@click.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show how far everything is."""
    found = Gateway(Settings()).execute(STATUS)["status"]
    if as_json:
        print_json(found)
        return
    names = (
        "tracks", "artists", "albums", "genres", "missing", "analyzed", "vectorized", "indexed",
        "failed", "pending",
    )  # fmt: skip
    print_table(("", ""), [(name, f"{found[name]:,}") for name in names])
    for each in found["paused"]:
        say(f"{each['stage']} waits: {each['reason']}")
    if found["failed"]:
        say("what failed, and why: soniquebay failures")


def _which(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name failures; the command gets what the gateway's filter takes."""

    @wraps(command)
    def filtered(
        stage: str | None, kind: str | None, topic: str | None, track: str | None, **rest: Any
    ) -> None:
        kind = kind.upper() if kind else None
        command({"stage": stage, "kind": kind, "topic": topic, "trackId": track}, **rest)

    for option in (
        click.option("--track", metavar="ID", help="Only those of a track, by its id."),
        click.option("--topic", type=click.Choice(_TOPICS), help="Only those of a topic."),
        click.option("--kind", type=click.Choice(_KINDS), help="Only those of a kind."),
        click.option("--stage", type=click.Choice(_STAGES), help="Only those of a stage."),
    ):
        filtered = option(filtered)
    return filtered


@click.command()
@_which
@as_json_option
def failures(wanted: dict[str, str | None], as_json: bool) -> None:
    """List what could not be done, and why. A file that is mended is read by the next scan."""
    gateway = Gateway(Settings())
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = gateway.execute(FAILURES, {"first": _PAGE, "after": after, "filter": wanted})
        rows += [_failure(edge["node"]) for edge in page["failures"]["edges"]]
        info = page["failures"]["pageInfo"]
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
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
@_which
@as_json_option
def replay(wanted: dict[str, str | None], as_json: bool) -> None:
    """Try again what failed: all of it, or what the options name."""
    done = Gateway(Settings()).execute(REPLAY, {"filter": wanted})["replayFailures"]
    if as_json:
        print_json({"replayed": done["replayed"]})
    else:
        click.echo(f"{done['replayed']:,} published again; see `soniquebay status`")
