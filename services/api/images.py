"""What an image is, and smaller ones of it. What could take a machine's memory is not decoded."""

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 20_000_000
MOST_PIXELS = 36_000_000
"""Decoded, so many take some 150 MB. A small file can hold far more: a decompression bomb."""
SIZES: Final = (64, 128, 300, 600, 1_200)
"""What the longer side of a smaller image may be, in pixels."""
_FORMATS = {
    "JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp",
    "WEBP": "image/webp",
}  # fmt: skip
_FAULTS = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError)
_QUALITY = 85
# Ours is the check: pillow's would warn at one size and fail at another.
Image.MAX_IMAGE_PIXELS = None


class Unshowable(ValueError):
    """This is no image, or none to be shown; the message says why."""


def look_at(content: bytes) -> tuple[str, int, int]:
    """MIME type, width and height in pixels, out of the header.

    Raises:
        Unshowable: it is no image that browsers show, is broken, or a decompression bomb.
    """
    with _opened(content) as image:
        return _FORMATS[str(image.format)], image.width, image.height


def resized(content: bytes, size: int) -> tuple[str, bytes]:
    """MIME type and bytes of a smaller image, whose longer side has `size` pixels.

    A JPEG, or a PNG where the image is transparent; upright, and of moving ones the first.

    Raises:
        Unshowable: it cannot be decoded.
    """
    try:
        with _opened(content) as opened:
            profile = opened.info.get("icc_profile")
            opened.draft("RGB", (size, size))  # JPEGs are decoded at about the size
            image = _in_plain_colours(opened)
            image.thumbnail((size, size), Image.Resampling.LANCZOS)
            image = ImageOps.exif_transpose(image)
            told = io.BytesIO()
            if image.mode == "RGBA":
                image.save(told, "PNG", icc_profile=profile)
                return "image/png", told.getvalue()
            # A profile of printing colours would be none of the colours that are written.
            kept = profile if opened.mode in {"RGB", "L"} else None
            image.save(told, "JPEG", quality=_QUALITY, icc_profile=kept)
            return "image/jpeg", told.getvalue()
    except _FAULTS as error:
        raise Unshowable(f"it cannot be decoded: {error}") from error


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=tuple(_FORMATS))
    except _FAULTS as error:
        raise Unshowable("it is no JPEG, PNG, GIF, BMP or WebP image, or broken") from error
    if image.width * image.height > MOST_PIXELS:
        told = f"{image.width:,} x {image.height:,}"
        raise Unshowable(f"it has {told} pixels; at most {MOST_PIXELS:,} are taken")
    return image


def _in_plain_colours(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")
