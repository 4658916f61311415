#!/usr/bin/env bash
# pyserato gives no cue of a file back if one of them has a colour that is not among its 18.
#
# Behaviour (pyserato 0.4.0): a valid "Serato Markers2" tag with three cues is read. The same tag with one byte of one
# cue's colour changed (c02626 for cc0000) raises ValueError("'C02626' is not a valid SeratoColor") from read_cues(),
# which returns a list: the two other cues are not to be had either.
#
# Why a good guess is wrong: the format has three bytes for any RGB, and a colour only paints a button. The library's
# class has the 18 colours that Serato DJ Pro offers; other programs write others, and so did earlier versions. Nobody
# expects a colour to decide whether there are cues.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install pyserato==0.4.0 mutagen==1.48.1
cd "$DIR"
"$DIR/venv/bin/python" - <<'PY'
import base64
import struct
import sys
from importlib.metadata import version
from pathlib import Path

from mutagen.id3 import GEOB, ID3
from pyserato.encoders.v2_encoder import V2Encoder
from pyserato.model.track import Track

print("python", sys.version.split()[0], "pyserato", version("pyserato"), "mutagen", version("mutagen"))


def cue(index, start_ms, rgb):
    body = struct.pack(">xBIx3sxx", index, start_ms, bytes.fromhex(rgb)) + b"\0"
    return b"CUE\0" + struct.pack(">I", len(body)) + body


def starts(*colours):
    """The starts of the cues that pyserato reads from an MP3 with cues of these colours."""
    cues = b"".join(cue(number, 1_000 * number, rgb) for number, rgb in enumerate(colours))
    text = base64.b64encode(b"\1\1" + cues + b"\0")
    lines = b"\n".join(text[at : at + 72] for at in range(0, len(text), 72))
    path = Path("a.mp3")
    path.write_bytes(bytes.fromhex("fffb9000").ljust(417, b"\0") * 40)
    tags = ID3()
    data = (b"\1\1" + lines).ljust(470, b"\0")
    tags.add(GEOB(encoding=0, mime="application/octet-stream", filename="", desc="Serato Markers2", data=data))
    tags.save(path)
    try:
        return [found.start for found in V2Encoder().read_cues(Track.from_path(path))]
    except ValueError as error:
        return f"ValueError: {error}"


known, other = starts("cc0000", "cc8800", "0000cc"), starts("c02626", "cc8800", "0000cc")
print("three known colours:", known)
print("one other colour:   ", other)
sys.exit(0 if known == [0, 1_000, 2_000] and "C02626" in other else 1)
PY
