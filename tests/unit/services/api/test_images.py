"""Resized images: sizes, colours, orientation; and refused images."""

import io
from typing import Any

import pytest
from PIL import Image

from services.api.images import MOST_PIXELS, Unshowable, look_at, resized
from tests.hostile_files import bomb


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (400, 200), **more: Any) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size).save(made, kind, **more)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF"])
def test_type_and_size_of_an_image_are_read_from_its_header(kind: str) -> None:
    assert look_at(picture(kind)) == (f"image/{kind.lower()}", 400, 200)


@pytest.mark.parametrize(
    ("mode", "kind", "made"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("L", "JPEG", "image/jpeg"),
        ("RGBA", "PNG", "image/png"),
        ("LA", "PNG", "image/png"),
        ("P", "GIF", "image/jpeg"),
        ("1", "BMP", "image/jpeg"),
        ("I;16", "PNG", "image/jpeg"),
        ("RGBA", "WEBP", "image/png"),
    ],
)
def test_a_resized_image_keeps_its_aspect_ratio(mode: str, kind: str, made: str) -> None:
    mime_type, content = resized(picture(kind, mode), 64)
    assert (mime_type, look_at(content)) == (made, (made, 64, 32))


_SHADES = (0, 60, 128, 250)


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_keeps_its_shades(bits: int) -> None:
    row = b"".join((shade << bits - 8).to_bytes(bits // 8, "little") * 32 for shade in _SHADES)
    image = Image.frombytes("I;16" if bits == 16 else "L", (128, 64), row * 64)
    made = io.BytesIO()
    image.save(made, "PNG")
    smaller = Image.open(io.BytesIO(resized(made.getvalue(), 64)[1])).convert("L")
    found = tuple(smaller.getpixel((column * 16 + 8, 16)) for column in range(4))
    assert found == pytest.approx(_SHADES, abs=4)


def test_a_resized_photograph_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    assert look_at(resized(picture("JPEG", exif=exif), 64)[1])[1:] == (32, 64)


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(Unshowable, match="60,000 x 60,000 pixels"):
        look_at(bomb(60_000, 60_000))
    side = int(MOST_PIXELS**0.5)
    assert look_at(bomb(side, side))[1:] == (side, side)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff but no picture", b"<svg/>", picture("PPM"), picture("PNG")[:20]]
)
def test_other_formats_and_broken_images_are_refused(content: bytes) -> None:
    with pytest.raises(Unshowable, match="no JPEG, PNG, GIF, BMP, WebP or AVIF image, or broken"):
        look_at(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_truncated_image_cannot_be_resized(kind: str) -> None:
    noisy = Image.effect_noise((300, 300), 90).convert("RGB")
    made = io.BytesIO()
    noisy.save(made, kind)
    with pytest.raises(Unshowable, match="cannot be decoded"):
        resized(made.getvalue()[: len(made.getvalue()) // 2], 64)
