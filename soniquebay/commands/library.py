"""`library`: list, move, rename, remove; `purge`: delete what has been missing for long."""

import os
import shlex
import time
from typing import Any

import click

from soniquebay.documents import (
    LIBRARIES,
    LIBRARY_ROOTS,
    MOVE_LIBRARY,
    PURGE_MISSING,
    REMOVE_LIBRARY,
    RENAME_LIBRARY,
)
from soniquebay.gateway import Gateway, raise_user_error
from soniquebay.output import json_option, print_json, say
from soniquebay.tables import print_table

_POLL_EVERY_S = 0.5
_yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def library() -> None:
    """List, move, rename and remove libraries.

    NAME is a library's name, as `soniquebay library list` shows it, or its id.

    \b
    soniquebay library move music /mnt/new/music
    """


@library.command("list")
@json_option
def list_libraries(as_json: bool) -> None:
    """List the libraries: name, root folder, number of tracks.

    A library that is being removed is listed until all that belongs to it is deleted.
    """
    found = Gateway().execute(LIBRARIES)["libraries"]
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (
                each["name"],
                each["root"],
                f"{each['trackCount']:,}",
                "being removed" if each["isBeingRemoved"] else "",
            )
            for each in found
        ]
        print_table(("name", "root", "tracks", ""), rows)
    else:
        say("there are no libraries: add one with `soniquebay scan DIR --follow`")


@library.command()
@click.argument("name")
@click.argument("folder", metavar="DIR")
@json_option
def move(name: str, folder: str, as_json: bool) -> None:
    """Tell SoniqueBay that the library NAME is in DIR now.

    Use it after you moved the folder, or mounted its disk elsewhere. No file is moved. Tracks keep
    their ids, analyses and corrections. A scan follows, which reads only files that changed. If the
    files are not in DIR, that scan is refused or held, nothing is lost, and the exit code is 1:
    move the library again, to the right folder.

    \b
    mv /old/music /new/music
    soniquebay library move music /new/music
    """
    # Imported here, since the other commands need no progress bars.
    from soniquebay.commands.scan import (  # noqa: PLC0415 - see above
        UNSUCCESSFUL,
        describe_scan,
        request_scan,
    )

    gateway = Gateway()
    known = _find(gateway, name)
    root = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - as in `scan`
    payload = gateway.execute(MOVE_LIBRARY, {"id": known["id"], "root": root})["moveLibrary"]
    raise_user_error(payload)
    scan = request_scan(gateway, {"root": root}, follow=False)
    if as_json:
        print_json({"library": payload["library"], "scan": scan})
    else:
        click.echo(f"{known['name']}: {known['root']} -> {payload['library']['root']}")
        click.echo(describe_scan(scan))
    if scan["state"] in UNSUCCESSFUL:
        former = shlex.quote(known["root"])
        say(f"to go back: soniquebay library move {shlex.quote(known['name'])} {former}")
        raise click.exceptions.Exit(1)


@library.command()
@click.argument("name")
@click.argument("new_name", metavar="NEW")
@json_option
def rename(name: str, new_name: str, as_json: bool) -> None:
    """Give the library NAME the name NEW.

    If SONIQUEBAY_MOUNTS has its name, change it there, too.
    """
    gateway = Gateway()
    variables = {"id": _find(gateway, name)["id"], "name": new_name}
    payload = gateway.execute(RENAME_LIBRARY, variables)["renameLibrary"]
    raise_user_error(payload)
    if as_json:
        print_json(payload["library"])
    else:
        click.echo(f"{payload['library']['name']}: {payload['library']['root']}")


@library.command()
@click.argument("name")
@_yes_option
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Remove the library NAME, and all that is known of its files.

    Your files stay as they are. It shows what will be deleted, and asks. If it is interrupted, the
    gateway goes on by itself.
    """
    gateway = Gateway()
    known = _find(gateway, name)
    variables = {"id": known["id"], "dryRun": True}
    counted = gateway.execute(REMOVE_LIBRARY, variables)["removeLibrary"]
    raise_user_error(counted)
    contents = counted["contents"]
    say(
        f"{known['name']} ({known['root']}): {contents['files']:,} files, {contents['tracks']:,}"
        f" tracks, {contents['missing']:,} missing ones, {contents['corrected']:,} with corrections"
    )
    if not yes:
        click.confirm("Delete all that is known of them?", abort=True, err=True)
    variables = {"id": known["id"], "name": known["name"]}
    raise_user_error(gateway.execute(REMOVE_LIBRARY, variables)["removeLibrary"])
    while any(each["id"] == known["id"] for each in gateway.execute(LIBRARY_ROOTS)["libraries"]):
        time.sleep(_POLL_EVERY_S)
    if as_json:
        print_json({"removed": known["name"], **contents})
    else:
        click.echo(f"removed {known['name']}")


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, 36_500),
    required=True,
    metavar="DAYS",
    help="Only files that have been missing for this long.",
)
@click.option("--library", "name", metavar="NAME", help="Only files of this library.")
@_yes_option
@json_option
def purge(days: int, name: str | None, yes: bool, as_json: bool) -> None:
    """Delete the tracks of files that have been missing for DAYS.

    A missing file's track is kept, and complete again when the file returns. This deletes it with
    its analysis and corrections. It shows how many there are, and asks.

    \b
    soniquebay purge --older-than 90
    """
    gateway = Gateway()
    id_ = _find(gateway, name)["id"] if name else None
    variables = {"days": days, "library": id_}
    purged, remaining = 0, _purge(gateway, {**variables, "dryRun": True})["remaining"]
    say(f"{remaining:,} files have been missing for {days} days or longer")
    if remaining and not yes:
        click.confirm("Delete their tracks?", abort=True, err=True)
    while remaining:
        done = _purge(gateway, variables)
        purged, remaining = purged + done["purged"], done["remaining"]
    if as_json:
        print_json({"purged": purged})
    else:
        click.echo(f"purged {purged:,}")


def _purge(gateway: Gateway, variables: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = gateway.execute(PURGE_MISSING, variables)["purgeMissingTracks"]
    raise_user_error(payload)
    return payload


def _find(gateway: Gateway, name: str) -> dict[str, Any]:
    """The library of this name or id.

    Raises:
        click.ClickException: there is none.
    """
    found: list[dict[str, Any]] = gateway.execute(LIBRARY_ROOTS)["libraries"]
    for each in found:
        if name in {each["name"], each["id"]}:
            return each
    names = ", ".join(repr(each["name"]) for each in found) or "none"
    raise click.ClickException(f"no library is named {name!r}; there are: {names}")
