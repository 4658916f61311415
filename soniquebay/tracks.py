"""Which track a TRACK on the command line is: an id, a path, or words that name one."""

import os
from typing import Any

import click

from shared.contracts.identity import IdKind, encode_path, parse_id
from soniquebay.documents import SEARCH, TRACKS_BY_PATH
from soniquebay.gateway import Gateway

_LOOKED_AT = 10


def find_track(gateway: Gateway, told: str) -> str:
    """The track's id.

    Raises:
        click.ClickException: nothing fits, or several do; then they are listed.
    """
    try:
        kind, _ = parse_id(told)
    except ValueError:
        return _by_path(gateway, told) or _by_words(gateway, told)
    if kind is not IdKind.TRACK:
        raise click.ClickException(
            f"{told} is the id of something else: a track's begins with trk_"
        )
    return told


def _by_path(gateway: Gateway, told: str) -> str | None:
    """By its path below the library's root, or by its absolute path."""
    absolute = os.path.abspath(told)  # noqa: PTH100 - keeps symbolic links as they are
    roots = {each["root"]: each for each in _libraries(gateway)}
    candidates = [encode_path(os.fsencode(told))]
    for root in roots:
        if absolute.startswith(root.rstrip("/") + "/"):
            below = os.path.relpath(absolute, root)
            candidates.append(encode_path(os.fsencode(below)))
    for path in candidates:
        found = gateway.execute(TRACKS_BY_PATH, {"path": path})["tracks"]["edges"]
        exact = [edge["node"]["id"] for edge in found if edge["node"]["path"] == path]
        if exact:
            return str(exact[0])
    return None


def _libraries(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.execute("{ libraries { name root } }")["libraries"]
    return found


def _by_words(gateway: Gateway, told: str) -> str:
    variables = {"text": told, "first": _LOOKED_AT, "mode": "TEXT"}
    tracks = [hit["track"] for hit in gateway.execute(SEARCH, variables)["search"]["hits"]]
    return choose(told, tracks)


def choose(told: str, tracks: list[dict[str, Any]]) -> str:
    """The one track that is meant: the only hit, or the only one with just this title."""
    exact = [track for track in tracks if track["title"].casefold() == told.strip().casefold()]
    for fitting in (exact, tracks):
        if len(fitting) == 1:
            return str(fitting[0]["id"])
    if not tracks:
        raise click.ClickException(f"no track is found for {told!r}: try `soniquebay search`")
    listed = "\n".join(
        f"  {track['id']}  {track['title']} - {', '.join(track['artists'])}"
        for track in exact or tracks
    )
    raise click.ClickException(f"{told!r} names several tracks; use one's id:\n{listed}")
