"""Taggers and readers from PyPI, run in an environment of their own: not all have our licence.

    python_taggers.py write TAGGER < {"values": {...}, "files": [...]}
    python_taggers.py read READER < {"files": [...]}

Both print a JSON object by file: true or what was read, or null if the program does not take the
file.
"""

import datetime
import json
import sys
from pathlib import Path
from typing import Any

Facts = dict[str, Any]


def _position(number: Any, total: Any) -> list[int | None]:
    return [int(number) if number else None, int(total) if total else None]


def _split(written: str) -> list[int | None]:
    number, total, *_ = (*written.split("/"), "")
    return _position(number, total)


def write_taglib(path: str, values: Facts) -> None:
    import taglib

    with taglib.File(path, save_on_exit=True) as file:
        file.tags |= {
            "TITLE": [values["title"]], "ARTIST": values["artists"], "ALBUM": [values["album"]],
            "ALBUMARTIST": [values["album_artist"]], "TRACKNUMBER": ["3/12"],
            "DISCNUMBER": ["1/2"], "DATE": [values["date"]], "GENRE": values["genres"],
        }  # fmt: skip


def read_taglib(path: str) -> Facts:
    import taglib

    with taglib.File(path) as file:
        tags = file.tags

        def first(name: str) -> Any:
            return next(iter(tags.get(name, ())), None)

        track = f"{first('TRACKNUMBER') or ''}/{first('TRACKTOTAL') or ''}"
        disc = f"{first('DISCNUMBER') or ''}/{first('DISCTOTAL') or ''}"
        return {
            "title": first("TITLE"), "artists": tags.get("ARTIST"), "album": first("ALBUM"),
            "album_artist": first("ALBUMARTIST"), "track": _split(track), "disc": _split(disc),
            "date": first("DATE"), "genres": tags.get("GENRE"), "duration_s": file.length,
            "channels": file.channels, "rate_hz": file.sampleRate,
            "covers": len(getattr(file, "pictures", ())),
        }  # fmt: skip


def write_mediafile(path: str, values: Facts) -> None:
    from mediafile import Image, MediaFile

    file = MediaFile(path)
    file.title, file.artist, file.album = values["title"], "Ann Lee & Ben Ox", values["album"]
    file.artists, file.albumartist = values["artists"], values["album_artist"]
    file.track, file.tracktotal, file.disc, file.disctotal = 3, 12, 1, 2
    file.date, file.genres = datetime.date.fromisoformat(values["date"]), values["genres"]
    file.images = [Image(Path(values["cover"]).read_bytes())]
    file.save()


def read_mediafile(path: str) -> Facts:
    from mediafile import MediaFile

    file = MediaFile(path)
    parts = (file.year, file.month, file.day)
    return {
        "title": file.title, "artists": file.artists or ([file.artist] if file.artist else None),
        "album": file.album, "album_artist": file.albumartist,
        "track": _position(file.track, file.tracktotal),
        "disc": _position(file.disc, file.disctotal),
        "date": "-".join(f"{part:02}" for part in parts if part), "genres": file.genres,
        "duration_s": file.length, "channels": file.channels, "rate_hz": file.samplerate,
        "covers": len(file.images or ()),
    }  # fmt: skip


def write_eyed3(path: str, values: Facts) -> None:
    import eyed3

    if not path.endswith(".mp3"):
        raise ValueError("MP3 only")
    file = eyed3.load(path)
    file.initTag(version=(2, 3, 0))
    tag = file.tag
    tag.title, tag.artist, tag.album = values["title"], "Ann Lee; Ben Ox", values["album"]
    tag.album_artist, tag.track_num, tag.disc_num = values["album_artist"], (3, 12), (1, 2)
    tag.recording_date, tag.genre = values["date"], values["genres"][0]
    tag.images.set(3, Path(values["cover"]).read_bytes(), "image/jpeg")
    tag.save()


def main() -> None:
    """Do what the arguments say."""
    job, name = sys.argv[1:3]
    run = globals()[f"{job}_{name}"]
    request = json.load(sys.stdin)
    done: dict[str, Any] = {}
    for path in request["files"]:
        try:
            done[path] = run(path, request["values"]) or True if job == "write" else run(path)
        except Exception as error:
            sys.stderr.write(f"{path}: {error!r}\n")
            done[path] = None
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
