"""`show`: everything that is known about a track."""

from collections.abc import Mapping
from typing import Any

import click

from soniquebay.documents import SHOW
from soniquebay.gateway import Gateway
from soniquebay.output import duration, json_option, moment, print_json
from soniquebay.tables import print_table
from soniquebay.tracks import find_track

_BANDWIDTH_NOTES = {
    "LOSSY": ", cut off by a lossy codec",
    "RESAMPLED": ", resampled from a lower rate",
    "NATURAL": "",
}
_SCALES = (
    ("aggressive", "aggressive", "not aggressive"),
    ("relaxed", "relaxed", "restless"),
    ("party", "party music", "no party music"),
    ("happy", "happy", "not happy"),
    ("sad", "sad", "not sad"),
    ("acoustic", "acoustic", "not acoustic"),
    ("electronic", "electronic", "not electronic"),
    ("instrumental", "instrumental", "sung"),
    ("energy", "energetic", "calm"),
    ("valence", "cheerful", "dark"),
    ("arousal", "exciting", "soothing"),
)
"""A score of `meaning`, the words for a high one, and the words for a low one."""
_CONFIDENCE_WORDS = ((0.65, "very likely"), (0.4, "likely"), (0.1, "perhaps"))
_GENRE_WORDS = ((0.4, ""), (0.2, "probably "), (0.0, "perhaps "))
_LEAST_DISTANCE = 0.25
"""Only scores that are at least this far from the average, 0.5, are shown."""


@click.command()
@click.argument("track")
@json_option
def show(track: str, as_json: bool) -> None:
    """Show everything that is known about TRACK: an id, a path, or a title."""
    gateway = Gateway()
    found = gateway.execute(SHOW, {"ids": [find_track(gateway, track)]})["tracksById"][0]
    if found is None:
        raise click.ClickException(f"there is no track {track}")
    if as_json:
        print_json(found)
    else:
        print_table(("", ""), _rows(found))


def _rows(track: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values; fields without a value are left out."""
    album = track["album"]
    rows: list[tuple[str, Any]] = [
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
        ("part", _part(track["part"])),
        ("cue sheet", track["cueProblem"]),
        *[(moment(each["startS"]), each["title"]) for each in track["chapters"]],
        ("library", f"{track['library']['name']} ({track['library']['root']})"),
        ("state", "missing" if track["isMissing"] else track["stage"].lower()),
        ("id", track["id"]),
        *_correction_rows(track["correction"], track),
        *map(describe_fact, track["importedFacts"]),
        *describe_analysis(track["analysis"]),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _position(track: dict[str, Any]) -> str:
    parts = []
    for name in ("disc", "track"):
        number, total = track[f"{name}Number"], track[f"{name}Total"]
        if number is not None:
            parts.append(f"{name} {number}" + (f" of {total}" if total else ""))
    return ", ".join(parts)


def _part(part: dict[str, Any] | None) -> str:
    if part is None:
        return ""
    end = "the end" if part["endS"] is None else moment(part["endS"])
    return f"{moment(part['startS'])} to {end}, by the cue sheet {part['cueSheet']}"


def _format(track: dict[str, Any]) -> str:
    parts = [track["codec"]]
    if track["bitrateBps"]:
        parts.append(f"{track['bitrateBps'] // 1000} kbit/s")
    if track["sampleRateHz"]:
        parts.append(f"{track['sampleRateHz'] / 1000:g} kHz")
    return ", ".join(parts)


def _correction_rows(
    correction: dict[str, Any] | None, track: dict[str, Any]
) -> list[tuple[str, str]]:
    if correction is None:
        return []
    key = f"{track['key']} {track['mode']}, {track['camelot']}"
    return [
        ("corrected tempo", f"{track['tempoBpm']:.1f} BPM" if correction["tempoBpm"] else ""),
        ("corrected key", key if correction["key"] else ""),
        ("corrected genres", ", ".join(correction["genres"] or ())),
        ("corrected moods", ", ".join(correction["moods"] or ())),
    ]


def describe_fact(fact: Mapping[str, Any]) -> tuple[str, str]:
    """What another program says of the track: its name, and its facts in words."""
    tempo, cues = fact["tempoBpm"], len(fact["cues"])
    words = {
        "rating": f"rating {fact['rating']} of 100",
        "playCount": f"played {fact['playCount']} times",
        "energy": f"energy {fact['energy']} of 10",
        "key": f"key {fact['key']}",
        "tempoBpm": f"{tempo:.2f} BPM" if tempo else "",
        "cues": f"{cues} cues or loops" if cues > 1 else "a cue or loop",
        "beatGrid": "a beat grid",
        "problem": fact["problem"] or "",
    }
    place = " (collection)" if fact["isCollection"] else ""
    return f"{fact['source']}{place}", ", ".join(
        text for name, text in words.items() if fact[name] not in (None, [])
    )


def describe_analysis(analysis: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The measured values in words, named; none without an analysis."""
    if analysis is None:
        return []
    tempo = f"{analysis['tempoBpm']:.1f} BPM (confidence {analysis['tempoConfidence']:.2f})"
    key = f"{analysis['key']} {analysis['mode']}, {analysis['camelot']}, {analysis['openKey']}"
    loudness = f"{analysis['loudnessLufs']:.1f} LUFS, range {analysis['loudnessRangeLu']:.1f} LU"
    return [
        ("damaged", "part of the file cannot be decoded" if analysis["damaged"] else ""),
        ("measured tempo", tempo if analysis["tempoBpm"] else "none"),
        ("measured key", f"{key} (confidence {analysis['keyConfidence']:.2f})"),
        ("loudness", loudness),
        ("true peak", f"{analysis['truePeakDbtp']:+.1f} dBTP"),
        ("bandwidth", _bandwidth(analysis)),
        ("ReplayGain", f"{analysis['replaygainTrackGainDb']:+.2f} dB"),
        ("energy", f"{analysis['energy']:.2f}"),
        ("danceability", f"{analysis['danceability']:.2f}"),
        *describe_meaning(analysis["meaning"], analysis["meaningAbsence"]),
        ("AcoustID", analysis["acoustidId"] or ""),
    ]


def _bandwidth(analysis: Mapping[str, Any]) -> str:
    note = _BANDWIDTH_NOTES[analysis["bandwidthKind"]]
    mono = ", both channels are equal" if analysis["isMonoInStereo"] else ""
    return f"{analysis['bandwidthHz'] / 1000:.1f} kHz{note}{mono}"


def describe_meaning(
    meaning: Mapping[str, Any] | None, absence: str | None
) -> list[tuple[str, str]]:
    """What the trained model heard, in words, grouped by confidence.

    Args:
        meaning: `meaning` of an analysis, or None.
        absence: `meaningAbsence`, the reason why there is none.
    """
    if meaning is None:
        return [("sounds like", f"unknown: {absence}")]
    if meaning["genre"] is None:
        return [("sounds like", "silence")]
    words = ", ".join(tag["name"] for tag in meaning["tags"])
    rows = [("sounds like", f"{_genre(meaning)} ({words})")]
    below = 1.01
    for least, confidence_word in _CONFIDENCE_WORDS:
        found = []
        for name, high, low in _SCALES:
            score, confidence = meaning[name]["score"], meaning[name]["confidence"]
            if least <= confidence < below and abs(score - 0.5) >= _LEAST_DISTANCE:
                found.append(high if score > 0.5 else low)
        rows.append((confidence_word, ", ".join(found)))
        below = least
    return rows


def _genre(meaning: Mapping[str, Any]) -> str:
    confidence = meaning["genreConfidence"]
    word = next(word for least, word in _GENRE_WORDS if confidence >= least)
    return f"{word}{meaning['genre']}"
