#!/usr/bin/env bash
# Pillow converts a 16-bit grey image to RGB or L by cutting every value above 255: it comes out white.
#
# Behaviour (Pillow 13.0.0): a PNG with the shades 0, 15,360, 32,768 and 64,000 of 65,535 opens as mode I;16. Its
# convert("L") has 0, 255, 255, 255. The 16-bit RGB variant of the same picture opens as RGB and has 0, 60, 128, 250.
#
# Why a good guess is wrong: convert() between modes scales elsewhere, and the same PNG of 16 bits in colour is scaled
# on opening. No error and no warning: a thumbnail of a grey scan is white, and a test with a black image passes.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install pillow==13.0.0
"$DIR/venv/bin/python" - <<'PY'
import io
import struct
import zlib

import PIL
from PIL import Image

SHADES = (0, 60 << 8, 128 << 8, 250 << 8)


def png(colour_type, samples):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    row = b"\0" + b"".join(struct.pack(">H", shade) * samples for shade in SHADES)
    header = struct.pack(">IIBBBBB", 4, 1, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


print("Pillow", PIL.__version__)
found = {}
for name, content in (("grey", png(0, 1)), ("colour", png(2, 3))):
    image = Image.open(io.BytesIO(content))
    found[name] = [image.convert("L").getpixel((x, 0)) for x in range(4)]
    print(f"{name:7} mode {image.mode:5} as L: {found[name]}")
assert found["colour"] == [0, 60, 128, 250]
assert found["grey"] == [0, 255, 255, 255], "16-bit grey is scaled now"
PY
