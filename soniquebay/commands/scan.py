"""`scan`: scan a folder."""

import os
import time
from typing import Any

import click

from soniquebay.documents import PROGRESS, REQUEST_SCAN, SCAN
from soniquebay.gateway import Gateway, raise_user_error
from soniquebay.output import json_option, print_json, say
from soniquebay.progress import ProgressView

_POLL_EVERY_S = 0.5
_WAIT_FOR_START_S = 3.0  # no longer: a busy extractor may start the scan much later
_ENDED = {"FINISHED", "HELD", "REFUSED"}
UNSUCCESSFUL = {"HELD", "REFUSED"}


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--follow", is_flag=True, help="Show progress until all work is done.")
@click.option("--full", is_flag=True, help="Read every file again, changed or not.")
@click.option(
    "--accept-missing",
    is_flag=True,
    help="Confirm that files which are not there are really gone, however many.",
)
@click.option(
    "--separate",
    is_flag=True,
    help="DIR is a library of its own, though it has the files of one that seems to have moved.",
)
@json_option
def scan(
    folder: str,
    *,
    follow: bool,
    full: bool,
    accept_missing: bool,
    separate: bool,
    as_json: bool,
) -> None:
    """Scan DIR: a library's root, a folder below a root, or a new library.

    DIR is a path on the extractor's machine. Only new and changed files are read. If far fewer
    files are there than are known, a disk may not be mounted: then nothing is marked as missing,
    the scan is held, and the exit code is 1. Use --accept-missing if the files are really gone.

    \b
    soniquebay scan ~/Music --follow
    """
    gateway = Gateway()
    # abspath, not resolve(): a root may be a symbolic link, and the library is known by the link.
    root = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - see above
    mode = "FULL" if full else "INCREMENTAL"
    scan_input = {
        "root": root,
        "mode": mode,
        "acceptMissing": accept_missing,
        "isSeparateLibrary": separate,
    }
    result = request_scan(gateway, scan_input, follow=follow)
    if as_json:
        print_json(result)
    else:
        if result["folder"] and result["library"]:
            say(f"this is a folder of the library {result['library']['name']} ({result['root']})")
        click.echo(describe_scan(result))
    if result["state"] in UNSUCCESSFUL:
        raise click.exceptions.Exit(1)


def request_scan(gateway: Gateway, scan_input: dict[str, Any], *, follow: bool) -> dict[str, Any]:
    """Request a scan; return it once it has begun, or with `follow` once all work is done.

    Raises:
        click.ClickException: the gateway refuses the request.
    """
    payload = gateway.execute(REQUEST_SCAN, {"input": scan_input})["requestScan"]
    raise_user_error(payload)
    id_ = payload["scan"]["id"]
    return _follow(gateway, id_) if follow else _wait_for_start(gateway, id_)


def _wait_for_start(gateway: Gateway, id_: str) -> dict[str, Any]:
    """Wait until the scan has begun or ended, so that a refusal is shown by this command."""
    deadline_s = time.monotonic() + _WAIT_FOR_START_S
    while True:
        found: dict[str, Any] = gateway.execute(SCAN, {"id": id_})["scan"]
        has_begun = found["state"] in _ENDED or found["filesSeen"]
        if has_begun or time.monotonic() > deadline_s:
            return found
        time.sleep(_POLL_EVERY_S / 5)


def _follow(gateway: Gateway, id_: str) -> dict[str, Any]:
    """Show progress until the scan has ended and nothing is pending; return the scan."""
    with ProgressView() as view:
        while True:
            status = gateway.execute(PROGRESS)["status"]
            view.update(time.monotonic(), status)
            found: dict[str, Any] = gateway.execute(SCAN, {"id": id_})["scan"]
            if found["state"] in _ENDED and (found["state"] == "REFUSED" or not status["pending"]):
                return found
            time.sleep(_POLL_EVERY_S)


def describe_scan(found: dict[str, Any]) -> str:
    """A scan's state and counts, in a line or two."""
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
