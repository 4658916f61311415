"""Writes the demo's tags as MusicBrainz Picard does."""

import base64
from pathlib import Path
from typing import Any

from mutagen import id3, mp4
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from soniquebay.demo.pieces import DemoTrack


def write_tags(path: Path, track: DemoTrack, cover: bytes | None) -> None:
    """Write a piece's tags and its cover (JPEG) into its file."""
    if track.format in {"flac", "ogg", "opus"}:
        _write_vorbis(path, track, cover)
    elif track.format == "m4a":
        _write_mp4(path, track, cover)
    else:
        _write_id3(path, track, cover)


def _write_vorbis(path: Path, track: DemoTrack, cover: bytes | None) -> None:
    kinds: dict[str, Any] = {"flac": FLAC, "ogg": OggVorbis, "opus": OggOpus}
    file = kinds[track.format](path)
    tags = {
        "title": [track.title],
        "artist": [track.artist_credit],
        "artists": list(track.artists),
        "album": [track.album],
        "albumartist": [track.album_artist],
        "genre": list(track.genres),
        "date": [track.date],
        "tracknumber": [str(track.track_number)],
        "tracktotal": [str(track.track_total)],
        "discnumber": [str(track.disc_number)] if track.disc_number else [],
        "disctotal": [str(track.disc_total)] if track.disc_total else [],
        "compilation": ["1"] if track.is_compilation else [],
        "musicbrainz_trackid": [track.musicbrainz_recording_id or ""],
    }
    for name, values in tags.items():
        if any(values):
            file[name] = values
    if cover is not None:
        picture = Picture()
        picture.type, picture.mime, picture.data = id3.PictureType.COVER_FRONT, "image/jpeg", cover
        if track.format == "flac":
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    file.save()


def _write_id3(path: Path, track: DemoTrack, cover: bytes | None) -> None:
    file: Any = WAVE(path) if track.format == "wav" else MP3(path)
    if file.tags is None:
        file.add_tags()
    frames: list[Any] = [
        id3.TIT2(encoding=3, text=[track.title]),
        id3.TPE1(encoding=3, text=[track.artist_credit]),
        id3.TXXX(encoding=3, desc="ARTISTS", text=list(track.artists)),
        id3.TALB(encoding=3, text=[track.album]),
        id3.TPE2(encoding=3, text=[track.album_artist]),
        id3.TCON(encoding=3, text=list(track.genres)),
        id3.TDRC(encoding=3, text=[track.date]),
        id3.TRCK(encoding=3, text=[f"{track.track_number}/{track.track_total}"]),
    ]
    if track.disc_number:
        frames.append(id3.TPOS(encoding=3, text=[f"{track.disc_number}/{track.disc_total}"]))
    if track.is_compilation:
        frames.append(id3.TCMP(encoding=3, text=["1"]))
    if track.musicbrainz_recording_id:
        owner = "http://musicbrainz.org"
        frames.append(id3.UFID(owner=owner, data=track.musicbrainz_recording_id.encode()))
    if cover is not None:
        frames.append(id3.APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=cover))
    for frame in frames:
        file.tags.add(frame)
    file.save()


def _write_mp4(path: Path, track: DemoTrack, cover: bytes | None) -> None:
    file: Any = MP4(path)
    file["\xa9nam"] = [track.title]
    file["\xa9ART"] = [track.artist_credit]
    artists = [mp4.MP4FreeForm(name.encode()) for name in track.artists]
    file["----:com.apple.iTunes:ARTISTS"] = artists
    file["\xa9alb"] = [track.album]
    file["aART"] = [track.album_artist]
    file["\xa9gen"] = list(track.genres)
    file["\xa9day"] = [track.date]
    file["trkn"] = [(track.track_number, track.track_total)]
    if track.disc_number and track.disc_total:
        file["disk"] = [(track.disc_number, track.disc_total)]
    if cover is not None:
        file["covr"] = [mp4.MP4Cover(cover, imageformat=mp4.MP4Cover.FORMAT_JPEG)]
    file.save()
