"""Writes the data of DJ software as its formats are described, for the tests."""

import base64
import json
import struct
from collections.abc import Sequence

Marker = tuple[float, float]
_BASE91 = (
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,./:;<=>?@[]^_`{|}~"'
)


def entry(name: bytes, body: bytes) -> bytes:
    """An entry of Serato's Markers2."""
    return name + b"\0" + struct.pack(">I", len(body)) + body


def cue(index: int, start_ms: int, name: str = "", rgb: bytes = b"\xc0\x26\x26") -> bytes:
    """A cue of Serato's Markers2."""
    body = struct.pack(">xBIx3sxx", index, start_ms, rgb) + name.encode() + b"\0"
    return entry(b"CUE", body)


def loop(
    index: int, start_ms: int, end_ms: int, name: str = "", unused: bytes = b"\xff" * 4
) -> bytes:
    """A loop of Serato's Markers2; some programs write 0 for the unused bytes."""
    body = struct.pack(">xBII4sx3sxx", index, start_ms, end_ms, unused, b"\x27\xaa\xe1")
    return entry(b"LOOP", body + name.encode() + b"\0")


def markers2(
    *entries: bytes, width: int = 72, padding: str = "=", end: bytes = b"\0" * 200
) -> bytes:
    """Serato's Markers2: entries in base64, in lines, and NULs up to a size."""
    text = base64.b64encode(b"\1\1" + b"".join(entries)).decode().replace("=", padding)
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return b"\1\1" + "\n".join(lines).encode() + end


def beat_grid(markers: Sequence[tuple[float, int]], last: Marker) -> bytes:
    """Serato's BeatGrid: seconds and beats until the next marker, then seconds and tempo."""
    packed = b"".join(struct.pack(">fI", *marker) for marker in markers)
    count = struct.pack(">I", len(markers) + 1)
    return b"\1\0" + count + packed + struct.pack(">ff", *last) + b"\0"


def autotags(tempo: str = "127.53", gain: str = "-3.257") -> bytes:
    """Serato's Autotags: tempo, measured gain, set gain."""
    return b"\1\1" + b"".join(text.encode() + b"\0" for text in (tempo, gain, "0.000"))


def envelope(name: str, content: bytes, width: int = 72, padding: str = "=") -> str:
    """A tag of Serato's in FLAC and MP4."""
    whole = b"application/octet-stream\0\0Serato " + name.encode() + b"\0" + content
    text = base64.b64encode(whole).decode().replace("=", padding)
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def mixed_in_key(**document: object) -> str:
    """A tag of Mixed In Key's."""
    whole = {"algorithm": 94, **document, "source": "mixedinkey"}
    return base64.b64encode(json.dumps(whole).encode()).decode()


def traktor_cue(name: str, kind: int, start_ms: float, length_ms: float, index: int) -> bytes:
    """A cue in Traktor's tree."""
    text = struct.pack("<2I", 1, len(name)) + name.encode("utf-16-le")
    return text + struct.pack("<2i2d2i", 0, kind, start_ms, length_ms, -1, index)


def traktor_tree(cues: Sequence[bytes], tempo_bpm: float | None = None, key: str = "") -> bytes:
    """Traktor's tree of frames."""
    values = [_frame(b"CUEP", struct.pack("<I", len(cues)) + b"".join(cues))]
    if tempo_bpm is not None:
        values.append(_frame(b"BPMT", struct.pack("<f", tempo_bpm)))
    if key:
        values.append(_frame(b"TKEY", struct.pack("<I", len(key)) + key.encode("utf-16-le")))
    head = _frame(b"HDR ", _frame(b"VRSN", struct.pack("<I", 7)), 1)
    return _frame(b"TRMD", head + _frame(b"DATA", b"".join(values), len(values)), 2)


def _frame(name: bytes, content: bytes, children: int = 0) -> bytes:
    return name[::-1] + struct.pack("<2I", len(content), children) + content


def base91(content: bytes) -> str:
    """Bytes as basE91, of Joachim Henke."""
    text, pending, bits = "", 0, 0
    for byte in content:
        pending |= byte << bits
        bits += 8
        if bits > 13:
            taken = 13 if pending & 8191 > 88 else 14
            pair, pending, bits = pending & ((1 << taken) - 1), pending >> taken, bits - taken
            text += _BASE91[pair % 91] + _BASE91[pair // 91]
    if bits:
        text += _BASE91[pending % 91]
        if bits > 7 or pending > 90:
            text += _BASE91[pending // 91]
    return text


def rekordbox_xml(*tracks: str) -> bytes:
    """An export of rekordbox's collection, with a playlist that has the first track."""
    playlist = '<NODE Type="0" Name="ROOT"><NODE Name="P" Type="1"><TRACK Key="1"/></NODE></NODE>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS Version="1.0.0">'
        '<PRODUCT Name="rekordbox" Version="6.7.7" Company="AlphaTheta"/>'
        f'<COLLECTION Entries="{len(tracks)}">{"".join(tracks)}</COLLECTION>'
        f"<PLAYLISTS>{playlist}</PLAYLISTS></DJ_PLAYLISTS>"
    ).encode()


def rekordbox_track(location: str, inner: str = "", **attributes: str) -> str:
    """A track of rekordbox's export."""
    written = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<TRACK TrackID="1" Name="N" Location="{location}" {written}>{inner}</TRACK>'


def traktor_nml(*entries: str) -> bytes:
    """Traktor's collection, with a playlist that has a track."""
    listed = '<ENTRY><PRIMARYKEY TYPE="TRACK" KEY="C:/:m/:a.mp3"></PRIMARYKEY></ENTRY>'
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n<NML VERSION="19">'
        '<HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"></HEAD>'
        f'<COLLECTION ENTRIES="{len(entries)}">{"".join(entries)}</COLLECTION>'
        '<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="1">'
        '<NODE TYPE="PLAYLIST" NAME="P"><PLAYLIST ENTRIES="1" TYPE="LIST" UUID="u">'
        f"{listed}</PLAYLIST></NODE></SUBNODES></NODE></PLAYLISTS></NML>"
    ).encode()


def traktor_entry(folder: str, name: str, inner: str = "", volume: str = "Macintosh HD") -> str:
    """A track of Traktor's collection."""
    location = f'<LOCATION DIR="{folder}" FILE="{name}" VOLUME="{volume}"></LOCATION>'
    return f'<ENTRY TITLE="T">{location}{inner}</ENTRY>'
