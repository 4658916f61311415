"""`search` and `similar`: find tracks by words, by meaning, or by another track."""

from typing import Any

import click

from soniquebay.documents import SEARCH, SIMILAR
from soniquebay.gateway import Gateway
from soniquebay.output import json_option, print_json, say
from soniquebay.tables import print_table
from soniquebay.tracks import find_track

_limit_option = click.option(
    "--limit",
    "-n",
    default=20,
    show_default=True,
    type=click.IntRange(1, 200),
    help="The largest number of results.",
)


@click.command()
@click.argument("text")
@click.option("--meaning", is_flag=True, help="Compare meanings instead of words: 'calm piano'.")
@_limit_option
@json_option
def search(text: str, meaning: bool, limit: int, as_json: bool) -> None:
    """Find tracks by words in titles, artists, albums, genres and paths.

    Accents do not matter, the last word may be unfinished, and words may have typos.

    \b
    soniquebay search "bjork joga"
    soniquebay search --meaning "calm piano for the night"
    """
    mode = "MEANING" if meaning else "TEXT"
    variables = {"text": text, "first": limit, "mode": mode}
    result = Gateway().execute(SEARCH, variables)["search"]
    _print_hits(result["hits"], as_json)
    if not result["hits"]:
        say(f"no track found for {text!r}")


@click.command()
@click.argument("track")
@click.option("--text", "by_text", is_flag=True, help="Compare tags and descriptions, not sound.")
@_limit_option
@json_option
def similar(track: str, by_text: bool, limit: int, as_json: bool) -> None:
    """List tracks that sound like TRACK: an id, a path, or a title.

    \b
    soniquebay similar "So What"
    soniquebay similar trk_0f8e...
    """
    gateway = Gateway()
    space = "TEXT" if by_text else "AUDIO"
    variables = {"ids": [find_track(gateway, track)], "first": limit, "space": space}
    found = gateway.execute(SIMILAR, variables)["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    _print_hits(found["similar"], as_json)
    if not found["similar"]:
        say(f"no similar tracks yet: {found['title']!r} is only {found['stage'].lower()}")


def _print_hits(hits: list[dict[str, Any]], as_json: bool) -> None:
    rows = [_hit(hit["track"], hit["score"]) for hit in hits]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("score", "title", "artists", "album", "path"),
            [
                (
                    f"{row['score']:.3f}", row["title"], ", ".join(row["artists"]),
                    row["album"] or "", row["path"],
                )
                for row in rows
            ],
        )  # fmt: skip


def _hit(track: dict[str, Any], score: float) -> dict[str, Any]:
    """A hit as `--json` prints it."""
    return {
        "id": track["id"],
        "title": track["title"],
        "artists": track["artists"],
        "album": track["album"]["title"] if track["album"] else None,
        "path": track["displayPath"],
        "score": round(score, 4),
    }
