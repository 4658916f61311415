#!/usr/bin/env bash
# node-taglib-sharp saves the tags of a WMA file over its sound.
#
# Behaviour (node-taglib-sharp 6.0.3, WMA of a second by FFmpeg 8.1.2 in PyAV 18.1.0): `file.save()` returns without an
# error. The header has grown from 494 to 4,698 bytes, the file has not: the padding of the tags stands where the object
# with the sound began. The same library reads the new title and the right length; FFmpeg refuses the file.
#
# Why a good guess is wrong: the same call moves the sound in MP3, FLAC, MP4, WAV and AIFF, and the file reads back as
# meant: tags, duration, rate. Only playing it shows that the sound is lost.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install av==18.1.0 numpy
cd "$DIR"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts node-taglib-sharp@6.0.3
venv/bin/python - <<'PY'
import av
import numpy as np

with av.open("a.wma", "w") as container:
    stream = container.add_stream("wmav2", rate=44_100, layout="stereo")
    stream.bit_rate = 128_000
    stream.codec_context.format = stream.codec.audio_formats[0]
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 88_200), np.int16), "s16", "stereo")
    frame.sample_rate = 44_100
    resampler = av.AudioResampler(stream.format, "stereo", 44_100, stream.frame_size or 4_096)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))
PY
cp a.wma before.wma
cat > save.cjs <<'JS'
const { File } = require('node-taglib-sharp');
const file = File.createFromPath('a.wma');
file.tag.title = 'A title';
file.save();
file.dispose();
const again = File.createFromPath('a.wma');
console.log(`node-taglib-sharp ${require('node-taglib-sharp/package.json').version}:`,
  `title ${again.tag.title}, ${again.properties.durationMilliseconds} ms`);
JS
node save.cjs
venv/bin/python - <<'PY'
import struct
import sys
from importlib.metadata import version
from pathlib import Path

import av


def header_bytes(name):
    return struct.unpack_from("<Q", Path(name).read_bytes(), 16)[0]


def plays(name):
    try:
        with av.open(name) as container:
            return sum(frame.samples for frame in container.decode(audio=0)) > 40_000
    except av.FFmpegError:
        return False


print(f"PyAV {version('av')}")
names = ("before.wma", "a.wma")
sizes = [(header_bytes(name), Path(name).stat().st_size, plays(name)) for name in names]
print("header, file, plays:", *sizes)
(before, size, was_playable), (after, new_size, is_playable) = sizes
sys.exit(not (after > before + 4_000 and new_size == size and was_playable and not is_playable))
PY
