#!/usr/bin/env bash
# mutagen reads an MP4 genre number of 0, which means that there is none, as the last genre of ID3's list.
#
# Behaviour (mutagen 1.48.1): `gnre` counts ID3v1's genres from 1. With the value 18 it reads "Rock", with 192
# "Psybient", with 193 nothing; with 0 it reads "Psybient" as well.
#
# Why a good guess is wrong: the same module takes 0 for "none" in `trkn` and `disk`, and a number that is too large is
# dropped. A library gets a few tracks of a genre that nobody has tagged, and the next save writes it as text.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install mutagen==1.48.1
"$DIR/venv/bin/python" - <<'PY'
import io
import struct
import sys

import mutagen
from mutagen.mp4 import MP4


def atom(name, *parts):
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, name) + content


def genres(number):
    """What mutagen reads in a minimal MP4 of one track of sound and this genre number."""
    value = atom(b"gnre", atom(b"data", bytes(8), struct.pack(">H", number)))
    handler = atom(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    tags = atom(b"udta", atom(b"meta", bytes(4), handler, atom(b"ilst", value)))
    media = atom(b"mdhd", bytes(12), struct.pack(">II", 44_100, 44_100), bytes(4))
    sound = atom(b"hdlr", bytes(8), b"soun", bytes(13))
    track = atom(b"trak", atom(b"mdia", media, sound))
    file = MP4(io.BytesIO(atom(b"ftyp", b"M4A \0\0\0\0M4A ") + atom(b"moov", track, tags)))
    return file.tags.get("\xa9gen")


print("mutagen", mutagen.version_string)
seen = {number: genres(number) for number in (18, 192, 193, 0)}
print(seen)
sys.exit(seen != {18: ["Rock"], 192: ["Psybient"], 193: None, 0: ["Psybient"]})
PY
