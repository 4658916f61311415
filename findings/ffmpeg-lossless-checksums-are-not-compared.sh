#!/usr/bin/env bash
# FFmpeg plays WavPack and TTA whose checksums do not match, also with `err_detect=crccheck`; only `crccheck+explode`
# makes a mismatch an error.
#
# Behaviour (PyAV 18.1.0 with FFmpeg 8.1.2): of 10 s of noise with 8 bytes changed, all 441,000 samples are returned,
# without an error; 21,700 of WavPack's and 33,821 of TTA's are wrong. With `err_detect=crccheck` it is the same.
# With `err_detect=crccheck+explode` the packet of a second is refused: 396,900 and 394,920 samples, one error each.
#
# Why a good guess is wrong: both formats have a checksum for each block, and libFLAC compares FLAC's without being
# asked. A file that decodes to its full length without an error looks intact, and an option called `crccheck` looks
# as if a failed check had a consequence.
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


def encode(name, codec):
    with av.open(name, "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        resampler = av.AudioResampler(stream.format, "mono", RATE, stream.codec_context.frame_size or 4_096)
        frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
        frame.sample_rate = RATE
        for each in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(each))


def decode(name, err_detect):
    samples, errors = [], 0
    with av.open(name) as container:
        stream = container.streams.audio[0]
        if err_detect:
            stream.codec_context.options = {"err_detect": err_detect}
        for packet in container.demux(stream):
            try:
                samples += [frame.to_ndarray().ravel() for frame in packet.decode()]
            except av.InvalidDataError:
                errors += 1
    return np.concatenate(samples), errors


print("PyAV", av.__version__, "libavcodec", av.library_versions["libavcodec"])
seen = {}
for name, codec in (("a.wv", "wavpack"), ("a.tta", "tta")):
    encode(name, codec)
    whole, errors = decode(name, "crccheck+explode")
    assert len(whole) == sound.size and not errors, "the file is intact"
    content = bytearray(open(name, "rb").read())
    middle = 11 * len(content) // 20  # within a block, not in its header
    content[middle : middle + 8] = bytes(255 - byte for byte in content[middle : middle + 8])
    open("bad-" + name, "wb").write(content)
    for err_detect in ("", "crccheck", "crccheck+explode"):
        samples, errors = decode("bad-" + name, err_detect)
        wrong = int((samples != whole).sum()) if len(samples) == len(whole) else None
        seen[codec, err_detect] = len(samples) == len(whole), errors
        print(f"{codec:8} err_detect={err_detect or 'default':17} samples {len(samples)}, wrong {wrong}, errors {errors}")
        assert err_detect or wrong, "nothing was damaged"
assert seen["wavpack", ""] == seen["tta", ""] == (True, 0), "checksums are compared by default now"
for codec in ("wavpack", "tta"):
    assert seen[codec, "crccheck"] == (True, 0), "`crccheck` alone refuses the block now"
    assert seen[codec, "crccheck+explode"] == (False, 1)
PY
