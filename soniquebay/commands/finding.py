"""search, similar, show."""

from typing import Any

import click

from shared.runtime.settings import Settings
from soniquebay.documents import SEARCH, SHOW, SIMILAR
from soniquebay.gateway import Gateway
from soniquebay.meaning import heard
from soniquebay.output import duration, print_json, print_table, print_tracks, say, track_row
from soniquebay.tracks import find_track

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)
_limit = click.option(
    "--limit",
    "-n",
    default=20,
    show_default=True,
    type=click.IntRange(1, 200),
    help="At most so many.",
)


@click.command()
@click.argument("text")
@click.option("--meaning", is_flag=True, help="Compare meanings instead of words: 'calm piano'.")
@_limit
@as_json_option
def search(text: str, meaning: bool, limit: int, as_json: bool) -> None:
    """Find tracks by words in titles, artists, albums, genres and paths.

    Accents don't matter, the last word may be a beginning, typos are forgiven.

    \b
    soniquebay search "bjork joga"
    soniquebay search --meaning "calm piano for the night"
    """
    mode = "MEANING" if meaning else "TEXT"
    variables = {"text": text, "first": limit, "mode": mode}
    found = Gateway(Settings()).execute(SEARCH, variables)["search"]
    _print_hits(found["hits"], as_json)
    if not found["hits"]:
        say(f"nothing is found for {text!r}")


@click.command()
@click.argument("track")
@click.option("--text", "by_text", is_flag=True, help="Compare tags and descriptions, not sound.")
@_limit
@as_json_option
def similar(track: str, by_text: bool, limit: int, as_json: bool) -> None:
    """List tracks that sound like TRACK: an id, a path, or a title.

    \b
    soniquebay similar "So What"
    soniquebay similar trk_0f8e...
    """
    gateway = Gateway(Settings())
    space = "TEXT" if by_text else "AUDIO"
    variables = {"ids": [find_track(gateway, track)], "first": limit, "space": space}
    found = gateway.execute(SIMILAR, variables)["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    _print_hits(found["similar"], as_json)
    if not found["similar"]:
        say(f"nothing to compare with yet: {found['title']!r} is {found['stage'].lower()}")


@click.command()
@click.argument("track")
@as_json_option
def show(track: str, as_json: bool) -> None:
    """Show what is known of TRACK: an id, a path, or a title."""
    gateway = Gateway(Settings())
    found = gateway.execute(SHOW, {"ids": [find_track(gateway, track)]})["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    if as_json:
        print_json(found)
    else:
        print_table(("", ""), _lines(found))


def _print_hits(hits: list[dict[str, Any]], as_json: bool) -> None:
    rows = [track_row(hit["track"], hit["score"]) for hit in hits]
    if as_json:
        print_json(rows)
    elif rows:
        print_tracks(rows)


def _lines(track: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known, a line each; what is not known has no line."""
    album = track["album"]
    lines: list[tuple[str, Any]] = [
        ("title", track["title"]),
        ("artist", track["artistCredit"]),
        ("album", f"{album['title']} ({album['artistCredit']})" if album else None),
        ("position", _position(track)),
        ("date", track["releaseDate"]),
        ("genres", ", ".join(genre["name"] for genre in track["genres"])),
        *[
            (credit["role"].lower(), credit["creditedAs"])
            for credit in track["credits"]
            if credit["role"] != "ARTIST"
        ],
        ("length", duration(track["durationS"])),
        ("format", _format(track)),
        ("path", track["displayPath"]),
        ("library", f"{track['library']['name']} ({track['library']['root']})"),
        ("state", "missing" if track["isMissing"] else track["stage"].lower()),
        ("id", track["id"]),
        *_corrected(track["correction"], track),
        *_measured(track["analysis"]),
    ]
    return [(name, str(value)) for name, value in lines if value not in (None, "")]


def _position(track: dict[str, Any]) -> str:
    parts = []
    for name in ("disc", "track"):
        number, total = track[f"{name}Number"], track[f"{name}Total"]
        if number is not None:
            parts.append(f"{name} {number}" + (f" of {total}" if total else ""))
    return ", ".join(parts)


def _format(track: dict[str, Any]) -> str:
    parts = [track["codec"]]
    if track["bitrateBps"]:
        parts.append(f"{track['bitrateBps'] // 1000} kbit/s")
    if track["sampleRateHz"]:
        parts.append(f"{track['sampleRateHz'] / 1000:g} kHz")
    return ", ".join(parts)


def _corrected(correction: dict[str, Any] | None, track: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person says; of genres, the line above has it already."""
    if correction is None:
        return []
    key = f"{track['key']} {track['mode']}, {track['camelot']}"
    return [
        ("corrected tempo", f"{track['tempoBpm']:.1f} BPM" if correction["tempoBpm"] else ""),
        ("corrected key", key if correction["key"] else ""),
        ("corrected genres", ", ".join(correction["genres"] or ())),
        ("corrected moods", ", ".join(correction["moods"] or ())),
    ]


def _measured(analysis: dict[str, Any] | None) -> list[tuple[str, str]]:
    if analysis is None:
        return []
    tempo = f"{analysis['tempoBpm']:.1f} BPM (confidence {analysis['tempoConfidence']:.2f})"
    key = f"{analysis['key']} {analysis['mode']}, {analysis['camelot']}, {analysis['openKey']}"
    loudness = f"{analysis['loudnessLufs']:.1f} LUFS, range {analysis['loudnessRangeLu']:.1f} LU"
    return [
        ("measured tempo", tempo if analysis["tempoBpm"] else "none"),
        ("measured key", f"{key} (confidence {analysis['keyConfidence']:.2f})"),
        ("loudness", loudness),
        ("true peak", f"{analysis['truePeakDbtp']:+.1f} dBTP"),
        ("bandwidth", _bandwidth(analysis)),
        ("ReplayGain", f"{analysis['replaygainTrackGainDb']:+.2f} dB"),
        ("energy", f"{analysis['energy']:.2f}"),
        ("danceability", f"{analysis['danceability']:.2f}"),
        *heard(analysis["meaning"], analysis["meaningAbsence"]),
        ("AcoustID", analysis["acoustidId"] or ""),
    ]


_LIMITED = {
    "LOSSY": ", cut off by a lossy codec",
    "RESAMPLED": ", resampled from a lower rate",
    "NATURAL": "",
}


def _bandwidth(analysis: dict[str, Any]) -> str:
    told = f"{analysis['bandwidthHz'] / 1000:.1f} kHz{_LIMITED[analysis['bandwidthKind']]}"
    return told + (", two channels that are one" if analysis["isMonoInStereo"] else "")
