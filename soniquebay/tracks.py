"""Finds the track that a TRACK argument names: an id, a path, or words of its title."""

import os
from typing import Any

import click

from shared.contracts.identity import IdKind, encode_path, parse_id
from soniquebay.documents import LIBRARY_ROOTS, SEARCH, TRACKS_BY_PATH
from soniquebay.gateway import Gateway

_MOST_HITS = 10


def find_track(gateway: Gateway, argument: str) -> str:
    """The track's id.

    Raises:
        click.ClickException: no track fits, or several do; then they are listed.
    """
    try:
        kind, _ = parse_id(argument)
    except ValueError:
        return _find_by_path(gateway, argument) or _find_by_words(gateway, argument)
    if kind is not IdKind.TRACK:
        raise click.ClickException(f"{argument} is not the id of a track: those begin with trk_")
    return argument


def _find_by_path(gateway: Gateway, argument: str) -> str | None:
    """Find a track by its path below a library's root, or by a path on this machine."""
    # abspath, not resolve(): files are known by their path below a root that may be a link.
    absolute = os.path.abspath(argument)  # noqa: PTH100 - see above
    candidates = [encode_path(os.fsencode(argument))]
    for library in gateway.execute(LIBRARY_ROOTS)["libraries"]:
        root = library["root"]
        if absolute.startswith(root.rstrip("/") + "/"):
            candidates.append(encode_path(os.fsencode(os.path.relpath(absolute, root))))
    for path in candidates:
        # The gateway filters by a prefix of the path, so longer paths are among the results.
        edges = gateway.execute(TRACKS_BY_PATH, {"path": path})["tracks"]["edges"]
        found = [edge["node"] for edge in edges if edge["node"]["path"] == path]
        if found:  # several where the file has a cue sheet
            return choose_track(argument, found)
    return None


def _find_by_words(gateway: Gateway, argument: str) -> str:
    variables = {"text": argument, "first": _MOST_HITS, "mode": "TEXT"}
    hits = gateway.execute(SEARCH, variables)["search"]["hits"]
    return choose_track(argument, [hit["track"] for hit in hits])


def choose_track(argument: str, tracks: list[dict[str, Any]]) -> str:
    """The id of the only hit, or of the only hit with exactly this title.

    Raises:
        click.ClickException: there is no such track, or there are several.
    """
    exact = [track for track in tracks if track["title"].casefold() == argument.strip().casefold()]
    for candidates in (exact, tracks):
        if len(candidates) == 1:
            return str(candidates[0]["id"])
    if not tracks:
        raise click.ClickException(
            f"no track has the id, path or title {argument!r}: try `soniquebay search`"
        )
    listed = "\n".join(
        f"  {track['id']}  {track['title']} - {', '.join(track['artists'])}"
        for track in exact or tracks
    )
    raise click.ClickException(f"several tracks match {argument!r}; use the id of one:\n{listed}")
