#!/usr/bin/env bash
# ffmpeg -c copy of an MP3 keeps the ID3 frames PRIV and drops the frames GEOB, without a message.
#
# Behaviour (FFmpeg of imageio-ffmpeg 0.8.1, seen with 9.0.2): an MP3 with TIT2, GEOB and PRIV, copied with
# -c copy -map_metadata 0 -v verbose, has TIT2 and the PRIV frame, byte for byte, and no GEOB. No line names GEOB.
# Where DJ software keeps its cues, this decides by the program: Traktor's (PRIV:TRAKTOR4) survive a copy, Serato's and
# Mixed In Key's (GEOB) are gone.
#
# Why a good guess is wrong: PRIV, pictures and chapters survive, so binary frames seem to be copied, and
# "-map_metadata 0" reads as "all of it". A test that a copied file still has its binary frames passes with PRIV.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install imageio-ffmpeg==0.8.1 mutagen==1.48.1
cd "$DIR"
"$DIR/venv/bin/python" - <<'PY'
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import mutagen
from mutagen.id3 import GEOB, ID3, PRIV, TIT2

ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
line = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
print("python", sys.version.split()[0], "mutagen", mutagen.version_string)
print(line)
Path("a.mp3").write_bytes(bytes.fromhex("fffb9000").ljust(417, b"\0") * 400)
data = bytes(range(256))
tags = ID3()
tags.add(TIT2(text="T"))
tags.add(GEOB(encoding=0, mime="application/octet-stream", filename="", desc="Serato Markers2", data=data))
tags.add(PRIV(owner="TRAKTOR4", data=data))
tags.save("a.mp3")
command = [ffmpeg, "-v", "verbose", "-i", "a.mp3", "-c", "copy", "-map_metadata", "0", "b.mp3"]
said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
before, after = ID3("a.mp3"), ID3("b.mp3")
kept = [frame.data for frame in after.getall("PRIV")]
print("before:", sorted(key[:8] for key in before), "  after:", sorted(key[:8] for key in after))
print("PRIV is the same:", kept == [data], "  a line names GEOB:", "GEOB" in said)
sys.exit(0 if kept == [data] and not after.getall("GEOB") and "GEOB" not in said else 1)
PY
