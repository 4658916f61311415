#!/usr/bin/env bash
# TagLib brings several values of a WMA tag into another order with each save, whatever the save is for.
#
# Behaviour (pytaglib 3.2.0 with the TagLib in its wheel): GENRE is written as A, B, C. It reads back as B, C, A; after
# a save that only sets the title as C, A, B; after another one as A, B, C. In FLAC and MP3 it is A, B, C all the time.
#
# Why a good guess is wrong: the first value is the one that players show as the artist or genre, the property map is a
# list, and a save of the title touches nothing else in all other formats. The first attribute of a name goes into one
# object of the header, the others into a second one, and they are read in the other order.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install pytaglib==3.2.0 av==18.1.0 numpy
cd "$DIR"
venv/bin/python - <<'PY'
import sys
from importlib.metadata import version

import av
import numpy as np
import taglib

print(f"pytaglib {version('pytaglib')}, PyAV {version('av')}")


def sound(path, codec):
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=44_100, layout="stereo")
        stream.bit_rate = 128_000
        stream.codec_context.format = stream.codec.audio_formats[0]
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 88_200), np.int16), "s16", "stereo")
        frame.sample_rate = 44_100
        resampler = av.AudioResampler(stream.format, "stereo", 44_100, stream.frame_size or 4_096)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


seen = {}
for path, codec in (("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.wma", "wmav2")):
    sound(path, codec)
    with taglib.File(path, save_on_exit=True) as file:
        file.tags["GENRE"] = ["A", "B", "C"]
    seen[path] = []
    for title in "123":
        with taglib.File(path, save_on_exit=True) as file:
            seen[path].append("".join(file.tags["GENRE"]))
            file.tags["TITLE"] = [title]
    print(path, *seen[path])
expected = {"a.flac": ["ABC"] * 3, "a.mp3": ["ABC"] * 3, "a.wma": ["BCA", "CAB", "ABC"]}
sys.exit(seen != expected)
PY
