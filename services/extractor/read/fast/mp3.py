"""MP3: an ID3v2 tag, MPEG frames, an ID3v1 tag; each may be left out but the frames."""

from services.extractor.read.fast import id3v1, id3v2
from services.extractor.read.fast.found import Beyond, Found
from services.extractor.read.fast.id3_frames import Frame, brought_to_v24
from services.extractor.read.fast.mpeg import info
from services.extractor.read.fast.window import Window

_END_BYTES = 32 + 128  # the footer of an APEv2 tag, and an ID3v1 tag after it


def read(window: Window) -> Found:
    """An mp3 file without an APEv2 or Lyrics3 tag."""
    end = window.end(_END_BYTES)
    if b"APETAGEX" in end or b"LYRICS200" in end:
        raise Beyond
    frames: dict[str, Frame] = {}
    size = version = 0
    has_v2 = window.head.startswith(b"ID3")
    if has_v2:
        version, size = id3v2.read(window, frames)
    has_v1 = id3v1.add(end, frames, is_v24=not has_v2 or version == 4)
    tags = brought_to_v24(frames) if has_v2 or has_v1 else None
    return Found(info(window, size), tags)
