"""`import-collection`: what DJ software knows of the tracks."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from soniquebay.dj_collections import rekordbox, traktor
from soniquebay.dj_collections.elements import InvalidCollection, elements
from soniquebay.dj_collections.locations import common_folder, first_below
from soniquebay.dj_collections.rekordbox import CollectionTrack
from soniquebay.documents import END_IMPORT, IMPORT_FACTS, LIBRARY_ROOTS
from soniquebay.gateway import Gateway
from soniquebay.output import json_option, print_json, say

_PORTION = 200
_SHOWN = 5
_PROGRAMS = {rekordbox.ROOT: rekordbox, traktor.ROOT: traktor}


@dataclass(slots=True)
class _Import:
    """What was imported so far.

    Attributes:
        found: tracks whose file is in a library.
        elsewhere: paths outside all libraries' folders.
        unknown: paths in a library's folder where the library knows no file.
        problems: paths that were refused, each with the reason.
    """

    id_: str = field(default_factory=lambda: str(uuid.uuid4()))
    tracks: int = 0
    found: int = 0
    elsewhere: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@click.command("import-collection")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--library", "name", metavar="NAME", help="Only into this library.")
@click.option(
    "--folder",
    metavar="DIR",
    help="The library's folder as the DJ software sees it, if that is another path.",
)
@json_option
def import_collection(file: Path, name: str | None, folder: str | None, as_json: bool) -> None:
    """Import cues, beat grids, keys and tempos from FILE, the collection of DJ software.

    FILE is rekordbox's XML export or Traktor's collection.nml. Tracks are found by their paths.
    An import replaces the earlier one of the same program. It changes no tags, no measured values
    and no corrections: what the program says is in the tracks' `importedFacts`.

    \b
    soniquebay import-collection rekordbox.xml
    soniquebay import-collection collection.nml --folder "C:/Users/Ann/Music" --library Music
    """
    gateway = Gateway()
    libraries = _libraries(gateway, name, folder)
    done = _Import()
    with file.open("rb") as opened:
        try:
            source = _import(gateway, opened, libraries, folder, done)
        except InvalidCollection as error:
            raise click.ClickException(f"{file} cannot be imported: {error}") from None
    for library in libraries if done.found else ():
        gateway.execute(
            END_IMPORT, {"libraryId": library["id"], "importId": done.id_, "source": source}
        )
    if as_json:
        counts = {"source": source, "tracks": done.tracks, "imported": done.found}
        print_json(counts | {"elsewhere": len(done.elsewhere), "unknown": len(done.unknown)})
    else:
        click.echo(f"{source}: {done.found:,} of {done.tracks:,} tracks imported")
    _explain(done, libraries)
    if done.tracks and not done.found:
        raise click.exceptions.Exit(1)


def _libraries(gateway: Gateway, name: str | None, folder: str | None) -> list[dict[str, Any]]:
    """The libraries to import into.

    Raises:
        click.ClickException: there is none of that name, or a folder may be that of several.
    """
    found = gateway.execute(LIBRARY_ROOTS)["libraries"]
    libraries = [each for each in found if name is None or name in (each["name"], each["root"])]
    names = ", ".join(each["name"] for each in found) or "none: scan a folder first"
    if not libraries:
        raise click.ClickException(f"there is no library {name or ''}; the libraries are {names}")
    if folder is not None and len(libraries) > 1:
        raise click.ClickException(f"say by --library whose folder that is: {names}")
    return libraries


def _import(
    gateway: Gateway,
    file: BinaryIO,
    libraries: Sequence[dict[str, Any]],
    folder: str | None,
    done: _Import,
) -> str:
    """Import all tracks of a file; returns the program's name.

    Raises:
        InvalidCollection: the file is no collection of a known program.
    """
    source = ""
    folders = [folder] if folder is not None else [each["root"] for each in libraries]
    tracks = _tracks(file)
    while portion := list(islice(tracks, _PORTION)):
        source = portion[0].fact.source
        done.tracks += len(portion)
        placed: dict[int, list[tuple[str, CollectionTrack]]] = {}
        for track in portion:
            place = first_below(folders, track.paths)
            if place is None:
                done.elsewhere.append(track.paths[0])
            else:
                placed.setdefault(place[0], []).append((place[1], track))
        for number, items in placed.items():
            _send(gateway, libraries[number]["id"], items, done)
    if not source:
        raise InvalidCollection(
            "it has no tracks. Export rekordbox's collection as XML, or take Traktor's"
            " collection.nml"
        )
    return source


def _tracks(file: BinaryIO) -> Iterator[CollectionTrack]:
    for root, element in elements(file):
        if root not in _PROGRAMS:
            raise InvalidCollection(
                f"its root is {root}, not {' or '.join(_PROGRAMS)}: it is neither rekordbox's XML"
                " nor Traktor's NML"
            )
        if (track := _PROGRAMS[root].track(element)) is not None:
            yield track


def _send(
    gateway: Gateway, library_id: str, items: Sequence[tuple[str, CollectionTrack]], done: _Import
) -> None:
    rows = [{"path": path, "fact": msgspec.to_builtins(track.fact)} for path, track in items]
    payload = gateway.execute(
        IMPORT_FACTS, {"libraryId": library_id, "importId": done.id_, "input": rows}
    )["importFacts"]
    errors = {each["item"]: each["error"]["message"] for each in payload["errors"]}
    for number, (path, _) in enumerate(items):
        if number in errors:
            done.problems.append(f"{path}: {errors[number]}")
        elif payload["trackIds"][number] is None:
            done.unknown.append(path)
        else:
            done.found += 1


def _explain(done: _Import, libraries: Sequence[dict[str, Any]]) -> None:
    """Say what was not imported, and what to do."""
    for problem in done.problems[:_SHOWN]:
        say(problem)
    if done.unknown:
        say(f"{len(done.unknown):,} are in no library, for example {done.unknown[0]}")
    if done.elsewhere:
        roots = ", ".join(each["root"] for each in libraries)
        where = common_folder(done.elsewhere) or done.elsewhere[0]
        say(
            f"{len(done.elsewhere):,} are not below {roots}: the collection has them in {where}."
            " If that is a library's folder on another computer, say --folder"
        )
