#!/bin/bash
# mutagen's ID3 drops dates that it cannot read, silently, and the next save deletes them from the file.
#
# Loading brings ID3v2.3 to 2.4 (`translate=True` is the default). A TYER becomes a TDRC only if it is a
# plain year (or year-month-day); any other TYER is removed, and nothing takes its place. A TDRC in words
# loads as an empty time. Seen with mutagen 1.48.1:
#     TYER "1999-05-06T07:00:00Z"  loaded: no date   after a save that changed the title: gone
#     TYER "May 2023"              loaded: no date   after a save that changed the title: gone
#     TDRC "Oct 3, 1995"           loaded: ['']      after a save that changed the title: gone
#     TYER "1999"                  loaded: ['1999']  after a save that changed the title: kept
# Why a good guess is wrong: unknown frames and odd texts in all other frames survive loading and saving,
# TDRC itself takes "1999-05-06T07:00:00", and neither step raises or warns. `translate=False` with
# `known_frames` that read times as plain text keeps them.
# Exits 0 while it is so, 1 when it is no longer.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install mutagen==1.48.1
cd "$work"
"$work/venv/bin/python" - <<'EOF'
import sys
import mutagen
from mutagen.id3 import ID3, TIT2

print("python", sys.version.split()[0], "mutagen", mutagen.version_string)


def frame(name: bytes, text: bytes) -> bytes:
    content = b"\0" + text
    return name + len(content).to_bytes(4, "big") + b"\0\0" + content


def tag(version: int, frames: bytes) -> bytes:
    return b"ID3" + bytes([version, 0, 0, 0, 0, len(frames) >> 7, len(frames) & 127]) + frames


expected = {
    (b"TYER", b"1999-05-06T07:00:00Z"): (None, False),
    (b"TYER", b"May 2023"): (None, False),
    (b"TDRC", b"Oct 3, 1995"): ([""], False),
    (b"TYER", b"1999"): (["1999"], True),
}
same = True
for (name, text), (loaded, kept) in expected.items():
    with open("a.id3", "wb") as file:
        file.write(tag(3 if name == b"TYER" else 4, frame(b"TIT2", b"Title") + frame(name, text)))
    tags = ID3("a.id3")
    found = [str(one) for one in tags["TDRC"].text] if "TDRC" in tags else None
    tags.add(TIT2(text="Other"))
    tags.save()
    with open("a.id3", "rb") as file:
        is_kept = text[:4] in file.read()
    print(name.decode(), repr(text.decode()), "loaded:", found, "after a save:", "kept" if is_kept else "gone")
    same &= (found, is_kept) == (loaded, kept)
sys.exit(0 if same else 1)
EOF
