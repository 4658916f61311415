"""correct."""

from typing import Any

import click

from shared.contracts.keys import parse_key
from shared.runtime.settings import Settings
from soniquebay.commands.finding import as_json_option
from soniquebay.documents import CORRECT, CORRECTED
from soniquebay.gateway import Gateway, raise_user_error
from soniquebay.output import print_json, print_table, say
from soniquebay.tracks import find_track

_FIELDS: dict[str, tuple[str, ...]] = {
    "tempo": ("tempoBpm",),
    "key": ("key", "mode"),
    "genre": ("genres",),
    "mood": ("moods",),
}


def _read_key(_: click.Context, __: click.Parameter, told: str | None) -> tuple[str, str] | None:
    if told is None:
        return None
    found = parse_key(told)
    if found is None:
        raise click.BadParameter(f"{told!r} is no key: say 'A minor', Am, Bb, 'F# major' or 8A")
    return found


@click.command()
@click.argument("track")
@click.option("--tempo", type=click.FloatRange(20, 400), metavar="BPM", help="Its tempo.")
@click.option(
    "--key", callback=_read_key, metavar="KEY", help="Its key: 'A minor', Am, Bb, 8A, ..."
)
@click.option("--genre", "genres", multiple=True, help="Its genre; repeat it for several.")
@click.option("--mood", "moods", multiple=True, help="Its mood; repeat it for several.")
@click.option(
    "--clear",
    "cleared",
    multiple=True,
    type=click.Choice([*_FIELDS, "all"]),
    help="Take a correction back: what was measured or tagged stands again.",
)
@as_json_option
def correct(
    track: str,
    *,
    tempo: float | None,
    key: tuple[str, str] | None,
    genres: tuple[str, ...],
    moods: tuple[str, ...],
    cleared: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what is right of TRACK: an id, a path, or a title.

    It wins over what was measured and tagged, in lists, filters and searches, and outlasts new
    analyses, new tags and moves of the file. Your files are not changed. Without options: show
    what is corrected.

    \b
    soniquebay correct "So What" --tempo 136 --key "D minor"
    soniquebay correct jazz/so_what.flac --genre "Modal Jazz" --genre Jazz --mood calm
    soniquebay correct "So What" --clear tempo
    """
    told = _told(tempo, key, genres, moods, cleared)
    gateway = Gateway(Settings())
    id_ = find_track(gateway, track)
    if told:
        results = gateway.execute(CORRECT, {"input": [{"trackId": id_, **told}]})
        raise_user_error(results["correctTracks"]["results"][0])
    found = gateway.execute(CORRECTED, {"ids": [id_]})["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    if as_json:
        print_json(found)
        return
    print_table(("", "stands", "corrected", "measured or tagged"), _lines(found))
    if found["correction"] is None:
        say("nothing is corrected")


def _told(
    tempo: float | None,
    key: tuple[str, str] | None,
    genres: tuple[str, ...],
    moods: tuple[str, ...],
    cleared: tuple[str, ...],
) -> dict[str, Any]:
    """The fields of CorrectionInput that the options speak of."""
    given: dict[str, dict[str, Any]] = {
        "tempo": {"tempoBpm": tempo} if tempo is not None else {},
        "key": dict(zip(("key", "mode"), key, strict=True)) if key else {},
        "genre": {"genres": list(genres)} if genres else {},
        "mood": {"moods": list(moods)} if moods else {},
    }
    told: dict[str, Any] = {}
    for name, fields in _FIELDS.items():
        is_cleared = name in cleared or ("all" in cleared and not given[name])
        if is_cleared and given[name]:
            raise click.UsageError(f"--{name} and --clear {name} exclude each other")
        told |= dict.fromkeys(fields) if is_cleared else given[name]
    return told


def _lines(track: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What stands, what is corrected, and what would stand without."""
    measured, said = track["analysis"] or {}, track["correction"] or {}
    tagged = {
        name: said.get(f"tag{name.title()}") if said.get(name) else stands
        for name, stands in (("genres", _genres(track)), ("moods", track["moods"]))
    }
    return [
        ("tempo", _bpm(track), _bpm(said), _bpm(measured)),
        ("key", _key(track), _key(said), _key(measured)),
        ("genres", _list(_genres(track)), _list(said.get("genres")), _list(tagged["genres"])),
        ("moods", _list(track["moods"]), _list(said.get("moods")), _list(tagged["moods"])),
    ]


def _genres(track: dict[str, Any]) -> list[str]:
    return [genre["name"] for genre in track["genres"]]


def _bpm(told: dict[str, Any]) -> str:
    return f"{told['tempoBpm']:.1f} BPM" if told.get("tempoBpm") else ""


def _key(told: dict[str, Any]) -> str:
    return f"{told['key']} {told['mode']}, {told['camelot']}" if told.get("key") else ""


def _list(words: list[str] | None) -> str:
    return ", ".join(words or ())
