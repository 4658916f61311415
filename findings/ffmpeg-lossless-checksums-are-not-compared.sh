#!/usr/bin/env bash
# FFmpeg's decoders of WavPack and TTA do not compare the checksums of the file unless they are asked to, and TTA's
# goes on after a mismatch even then.
#
# Behaviour (PyAV 18.1.0 with FFmpeg 8.1.2): of 10 s with 8 bytes changed in the middle, all 441,000 samples are
# returned, without an error; many of them are wrong. With `err_detect=crccheck` WavPack's block of half a second is
# refused with "Invalid data", TTA's frame is still returned. With `err_detect=crccheck+explode` both are refused.
#
# Why a good guess is wrong: the formats have a checksum for each block, libFLAC and the formats' own programs always
# compare it, and a file that decodes to its full length without an error looks intact.
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
assert seen["wavpack", "crccheck"] == (False, 1)
assert seen["tta", "crccheck"] == (True, 0), "TTA refuses the frame now"
assert seen["wavpack", "crccheck+explode"][1] and seen["tta", "crccheck+explode"][1]
PY
