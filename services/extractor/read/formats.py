"""The file name endings of music and of images. Pure."""

AUDIO_SUFFIXES = frozenset(
    (
        ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".ape", ".asf", ".dff", ".dsf", ".eac3",
        ".ec3", ".flac", ".m4a", ".m4b", ".m4p", ".m4r", ".mka", ".mp+", ".mp2", ".mp3", ".mp4",
        ".mpc", ".ofr", ".ofs", ".oga", ".ogg", ".opus", ".spx", ".tak", ".tta", ".wav", ".wave",
        ".weba", ".webm", ".wma", ".wv",
    )
)  # fmt: skip
"""Endings that a scan takes for music, in lower case."""

IMAGE_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif",
    ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".svg",
))  # fmt: skip
"""Endings of folder images, in lower case. Those that no browser shows are looked at to say so."""


def suffix_of(name: str) -> str:
    """The ending of a file's name with its dot, in lower case; '' where there is none."""
    stem, dot, ending = name.rpartition(".")
    return dot + ending.lower() if stem else ""


def is_audio(name: str) -> bool:
    """Whether a scan takes a file of this name for music."""
    return suffix_of(name) in AUDIO_SUFFIXES
