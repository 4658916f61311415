#!/bin/bash
# mutagen reads the album gain in a LAME header without its sign.
#
# The LAME header (http://gabriel.mp3-tech.org/mp3infotag.html) keeps two gains in the same form: three
# bits of kind (1 track, 2 album), three bits of origin, one bit of sign, nine bits of tenths of a dB.
# mutagen's MP3.info has both, as `track_gain` and `album_gain`. Seen with mutagen 1.48.1: the same bits
# (-6.2 dB) written into both fields give
#     track_gain = -6.2   album_gain = 6.2
# Why a good guess is wrong: both fields have one layout and lie side by side, the track's gain is right,
# and documentation and types are the same. A player that trusts it makes a loud album 12.4 dB too loud.
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
from mutagen.mp3 import MP3

print("python", sys.version.split()[0], "mutagen", mutagen.version_string)
# MPEG-1 layer 3, 128 kbit/s, 44.1 kHz, stereo: frames of 417 bytes, the first one with an Info header.
HEADER = bytes.fromhex("fffb9000")
gain = (3 << 10 | 1 << 9 | 62).to_bytes(2, "big")  # origin 3, sign, 6.2 dB
track = bytes([gain[0] | 1 << 5, gain[1]])
album = bytes([gain[0] | 2 << 5, gain[1]])
info = b"Info" + (15).to_bytes(4, "big") + (40).to_bytes(4, "big") + (417 * 41).to_bytes(4, "big")
info += bytes(100) + (80).to_bytes(4, "big")
info += b"LAME3.100" + bytes([0x04, 190]) + bytes(4) + track + album + bytes(19)
frame = (HEADER + bytes(32) + info).ljust(417, b"\0")
with open("a.mp3", "wb") as file:
    file.write(frame + (HEADER + bytes(413)) * 40)
found = MP3("a.mp3").info
print("track_gain =", found.track_gain, "  album_gain =", found.album_gain)
sys.exit(0 if (found.track_gain, found.album_gain) == (-6.2, 6.2) else 1)
EOF
