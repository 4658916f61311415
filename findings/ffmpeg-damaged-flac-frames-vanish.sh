#!/usr/bin/env bash
# FFmpeg leaves the damaged frames of a FLAC file out without an error, also with `err_detect=crccheck+explode`. Only
# the time of the next frame shows it.
#
# Behaviour (PyAV 18.1.0 with FFmpeg 8.1.2): of 10 s of noise with 4,000 bytes zeroed, 436,392 of 441,000 samples are
# returned, without an error, whatever `err_detect` is. The frames around the gap have no pts, and the next one that has
# is 4,608 samples (one frame) behind the end of those before it.
#
# Why a good guess is wrong: with `crccheck+explode` the same damage in WavPack and TTA is an error
# (ffmpeg-lossless-checksums-are-not-compared.sh). FLAC's frames are found by a parser, which drops what has a wrong
# checksum before the decoder sees it. So who decodes a part of a file, where the length of the whole says nothing,
# hears a gap of a tenth of a second and no complaint.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install av==18.1.0 numpy==2.4.6
cd "$DIR"
venv/bin/python - <<'PY'
import av
import numpy as np

RATE = 44_100
rng = np.random.default_rng(1)
sound = np.clip(rng.normal(0, 3_000, (1, 10 * RATE)), -30_000, 30_000).astype(np.int16)
with av.open("a.flac", "w") as container:
    stream = container.add_stream("flac", rate=RATE, layout="mono")
    resampler = av.AudioResampler(stream.format, "mono", RATE, 4_608)
    frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
    frame.sample_rate = RATE
    for each in [*resampler.resample(frame), *resampler.resample(None), None]:
        container.mux(stream.encode(each))


def decode(name, err_detect):
    """How many samples and errors there are, and how many samples are missing by the frames' times."""
    samples = errors = missing = end = 0
    with av.open(name) as container:
        stream = container.streams.audio[0]
        if err_detect:
            stream.codec_context.options = {"err_detect": err_detect}
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                errors += 1
                continue
            for each in frames:
                if each.pts is not None:  # some frames around the gap have no time
                    missing += each.pts - end
                    end = each.pts
                samples, end = samples + each.samples, end + each.samples
    return samples, errors, missing


print("PyAV", av.__version__, "libavcodec", av.library_versions["libavcodec"])
assert decode("a.flac", "") == (sound.size, 0, 0), "the file is intact"
content = bytearray(open("a.flac", "rb").read())
middle = len(content) // 2
content[middle : middle + 4_000] = bytes(4_000)
open("bad.flac", "wb").write(content)
for err_detect in ("", "crccheck", "crccheck+explode"):
    samples, errors, missing = decode("bad.flac", err_detect)
    print(f"err_detect={err_detect or 'default':17} samples {samples}, errors {errors}, missing by the times {missing}")
    assert not errors, "a damaged frame is an error now"
    assert missing > 0 and samples + missing == sound.size, "the gap does not show in the times any longer"
PY
