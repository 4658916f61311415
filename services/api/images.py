"""Reads the type and size of images, and makes smaller ones; no decompression bomb is decoded."""

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 20_000_000
MOST_PIXELS = 36_000_000
"""Decoded they take some 150 MB. A small file can hold far more: a decompression bomb."""
SIZES: Final = (64, 128, 300, 600, 1_200)
"""Lengths of the longer side that a smaller image may have, in pixels."""
_FORMATS = {
    "JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp",
    "WEBP": "image/webp", "AVIF": "image/avif",
}  # fmt: skip
_HIGH_BYTES = {"I;16": slice(1, None, 2), "I;16L": slice(1, None, 2), "I;16B": slice(0, None, 2)}
"""Where the bytes of 16-bit grey are that count."""
_FAULTS = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError)
_QUALITY = 85
# `_opened` checks the size: Pillow's own check would warn at one size and fail at another.
Image.MAX_IMAGE_PIXELS = None


class Unshowable(ValueError):
    """This is not an image, or not one that can be shown; the message says why."""


def look_at(content: bytes) -> tuple[str, int, int]:
    """MIME type, width and height in pixels, from the header.

    Raises:
        Unshowable: it is no image that browsers show, it is broken, or a decompression bomb.
    """
    with _opened(content) as image:
        return _FORMATS[str(image.format)], image.width, image.height


def resized(content: bytes, size: int) -> tuple[str, bytes]:
    """MIME type and bytes of a smaller image, whose longer side has `size` pixels.

    A JPEG, or a PNG where the image is transparent; upright; of an animation the first frame.

    Raises:
        Unshowable: it cannot be decoded.
    """
    try:
        with _opened(content) as opened:
            profile = opened.info.get("icc_profile")
            opened.draft("RGB", (size, size))  # JPEGs are decoded at about this size
            image = _as_rgb(opened)
            image.thumbnail((size, size), Image.Resampling.LANCZOS)
            image = ImageOps.exif_transpose(image)
            output = io.BytesIO()
            if image.mode == "RGBA":
                image.save(output, "PNG", icc_profile=profile)
                return "image/png", output.getvalue()
            # A CMYK profile does not describe the RGB colours that are written.
            kept = profile if opened.mode in {"RGB", "L"} else None
            image.save(output, "JPEG", quality=_QUALITY, icc_profile=kept)
            return "image/jpeg", output.getvalue()
    except _FAULTS as error:
        raise Unshowable(f"it cannot be decoded: {error}") from error


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=tuple(_FORMATS))
    except _FAULTS as error:
        raise Unshowable("it is no JPEG, PNG, GIF, BMP, WebP or AVIF image, or broken") from error
    if image.width * image.height > MOST_PIXELS:
        size = f"{image.width:,} x {image.height:,}"
        raise Unshowable(f"it has {size} pixels; at most {MOST_PIXELS:,} are taken")
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _HIGH_BYTES:
        # Pillow's own conversion cuts all values above 255: nearly all of the image becomes white.
        grey = image.tobytes()[_HIGH_BYTES[image.mode]]
        return Image.frombytes("L", image.size, grey).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
