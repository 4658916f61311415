#!/usr/bin/env bash
# mutagen believes the Xing header of the first of two joined MP3 files, and reads an MP3 of a variable bit rate without
# a header as if all frames had the first one's rate.
#
# Behaviour (mutagen 1.48.1): 600 frames behind a header (15.67 s) are counted rightly; the same file twice in one counts as
# 15.67 s, too, though it has twice the bytes that the header states; without the header 50.83 s are counted.
#
# Why a good guess is wrong: `info.length` looks like a measurement, and the header that was read states the bytes as
# well as the frames. mutagen does not compare them with the file; `info.sketchy` is False in all three cases.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install mutagen==1.48.1
cd "$DIR"
venv/bin/python - <<'PY'
import struct
import mutagen
from mutagen.mp3 import MP3

KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def frame(kbps):  # silence: all zeros behind the header
    return bytes((0xFF, 0xFB, KBPS.index(kbps) << 4, 0x44)).ljust(144 * kbps * 1000 // 44100, b"\0")


sound = b"".join(frame(32) if i < 300 else frame((128, 64, 320, 192)[i % 4]) for i in range(600))
head = bytearray(frame(128))
head[36:52] = b"Xing" + struct.pack(">III", 3, 600, len(sound) + len(head))
files = {"headed.mp3": bytes(head) + sound, "joined.mp3": (bytes(head) + sound) * 2, "headless.mp3": sound}
true = {"headed.mp3": 600, "joined.mp3": 1201, "headless.mp3": 600}
seen = {}
print("mutagen", mutagen.version_string)
for name, content in files.items():
    open(name, "wb").write(content)
    info = MP3(name).info
    seen[name] = info.length
    assert not info.sketchy
    print(f"{name:14} true {true[name] * 1152 / 44100:6.2f} s, counted {seen[name]:6.2f} s")
assert abs(seen["headed.mp3"] - 15.67) < 0.1
assert abs(seen["joined.mp3"] - 15.67) < 0.1, "joined files are counted whole now"
assert seen["headless.mp3"] > 1.5 * 15.67, "frames are counted now"
PY
