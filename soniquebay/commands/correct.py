"""`correct`: override a wrong tempo, key, genre or mood."""

from typing import Any

import click

from shared.contracts.keys import parse_key
from soniquebay.documents import CORRECT, CORRECTED
from soniquebay.gateway import Gateway, raise_user_error
from soniquebay.output import json_option, print_json, say
from soniquebay.tables import print_table
from soniquebay.tracks import find_track

_FIELDS: dict[str, tuple[str, ...]] = {
    "tempo": ("tempoBpm",),
    "key": ("key", "mode"),
    "genre": ("genres",),
    "mood": ("moods",),
}
"""The options, and the fields of CorrectionInput that each sets."""


def _parse_key_option(
    _: click.Context, __: click.Parameter, value: str | None
) -> tuple[str, str] | None:
    if value is None:
        return None
    key_and_mode = parse_key(value)
    if key_and_mode is None:
        raise click.BadParameter(f"{value!r} is not a key; examples: 'A minor', Am, Bb, 8A")
    return key_and_mode


@click.command()
@click.argument("track")
@click.option("--tempo", type=click.FloatRange(20, 400), metavar="BPM", help="The right tempo.")
@click.option(
    "--key",
    callback=_parse_key_option,
    metavar="KEY",
    help="The right key: 'A minor', Am, Bb, 8A, ...",
)
@click.option("--genre", "genres", multiple=True, help="A genre; repeat it for several.")
@click.option("--mood", "moods", multiple=True, help="A mood; repeat it for several.")
@click.option(
    "--clear",
    "cleared",
    multiple=True,
    type=click.Choice([*_FIELDS, "all"]),
    help="Remove a correction: the measured or tagged value counts again.",
)
@json_option
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
    """Correct TRACK: an id, a path, or a title.

    A correction overrides measured and tagged values in lists, filters and searches. It survives
    new analyses, new tags and moves of the file. Your files are not changed. Without options,
    show the corrections.

    \b
    soniquebay correct "So What" --tempo 136 --key "D minor"
    soniquebay correct jazz/so_what.flac --genre "Modal Jazz" --genre Jazz --mood calm
    soniquebay correct "So What" --clear tempo
    """
    fields = _correction_fields(tempo, key, genres, moods, cleared)
    gateway = Gateway()
    id_ = find_track(gateway, track)
    if fields:
        payload = gateway.execute(CORRECT, {"input": [{"trackId": id_, **fields}]})
        raise_user_error(payload["correctTracks"]["results"][0])
    found = gateway.execute(CORRECTED, {"ids": [id_]})["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    if as_json:
        print_json(found)
        return
    print_table(("", "effective", "corrected", "measured or tagged"), _rows(found))
    if found["correction"] is None:
        say("this track has no corrections")


def _correction_fields(
    tempo: float | None,
    key: tuple[str, str] | None,
    genres: tuple[str, ...],
    moods: tuple[str, ...],
    cleared: tuple[str, ...],
) -> dict[str, Any]:
    """The fields of CorrectionInput that the options set; None removes a correction.

    Raises:
        click.UsageError: an option and its --clear are both there.
    """
    values: dict[str, dict[str, Any]] = {
        "tempo": {"tempoBpm": tempo} if tempo is not None else {},
        "key": dict(zip(("key", "mode"), key, strict=True)) if key else {},
        "genre": {"genres": list(genres)} if genres else {},
        "mood": {"moods": list(moods)} if moods else {},
    }
    fields: dict[str, Any] = {}
    for option, names in _FIELDS.items():
        # `--clear all --tempo 90` removes all corrections but that of the tempo.
        is_cleared = option in cleared or ("all" in cleared and not values[option])
        if is_cleared and values[option]:
            raise click.UsageError(f"use either --{option} or --clear {option}")
        fields |= dict.fromkeys(names) if is_cleared else values[option]
    return fields


def _rows(track: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """For each field: its name, the effective, the corrected, and the measured or tagged value."""
    analysis, correction = track["analysis"] or {}, track["correction"] or {}
    genres, moods = [genre["name"] for genre in track["genres"]], track["moods"]
    # The effective genres and moods are the tagged ones, unless they are corrected.
    tagged_genres = correction.get("tagGenres") if correction.get("genres") else genres
    tagged_moods = correction.get("tagMoods") if correction.get("moods") else moods
    return [
        ("tempo", _tempo(track), _tempo(correction), _tempo(analysis)),
        ("key", _key(track), _key(correction), _key(analysis)),
        ("genres", _list(genres), _list(correction.get("genres")), _list(tagged_genres)),
        ("moods", _list(moods), _list(correction.get("moods")), _list(tagged_moods)),
    ]


def _tempo(values: dict[str, Any]) -> str:
    return f"{values['tempoBpm']:.1f} BPM" if values.get("tempoBpm") else ""


def _key(values: dict[str, Any]) -> str:
    return f"{values['key']} {values['mode']}, {values['camelot']}" if values.get("key") else ""


def _list(words: list[str] | None) -> str:
    return ", ".join(words or ())
