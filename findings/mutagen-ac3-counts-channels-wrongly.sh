#!/usr/bin/env bash
# mutagen tells the channels of AC-3 wrongly: mono as 2, and 5.1 as 5. Of E-AC-3 it tells both rightly.
#
# Behaviour (mutagen 1.48.1, PyAV 18.1.0 as encoder): a second of AC-3 in mono, stereo, 2.1 and 5.1.
#
# Why a good guess is wrong: the same class (AC3) reads both, E-AC-3's numbers are right, and a test with a stereo file
# passes. Mix levels of two bits stand between the coding mode and the LFE's bit, and which of them differs by mode.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install mutagen==1.48.1 av==18.1.0 numpy
"$DIR/venv/bin/python" - <<'PY'
import io

import av
import mutagen
import numpy as np
from mutagen.ac3 import AC3

print("mutagen", mutagen.version_string, "PyAV", av.__version__)
counted = {}
for codec in ("ac3", "eac3"):
    for layout, channels in (("mono", 1), ("stereo", 2), ("2.1", 3), ("5.1", 6)):
        file = io.BytesIO()
        with av.open(file, "w", format=codec) as container:
            stream = container.add_stream(codec, rate=48000, layout=layout)
            stream.codec_context.format = "fltp"
            for begin in range(0, 48000, 1536):
                frame = av.AudioFrame.from_ndarray(
                    np.zeros((channels, 1536), np.float32), format="fltp", layout=layout)
                frame.sample_rate, frame.pts = 48000, begin
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        file.seek(0)
        counted[codec, layout] = AC3(file).info.channels
        print(f"{codec:4} {layout:6} is {channels}, counted {counted[codec, layout]}")
assert counted["eac3", "mono"] == 1 and counted["eac3", "5.1"] == 6
assert counted["ac3", "mono"] != 1 and counted["ac3", "5.1"] != 6, "mutagen counts AC-3's channels now"
PY
