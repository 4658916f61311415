"""ID3v1: 128 bytes at a file's end.

Source: https://id3.org/ID3v1
"""

from services.extractor.read.fast.found import Beyond
from services.extractor.read.fast.id3_frames import Frame, Frames, genres
from services.extractor.read.fast.id3_texts import time_stamp

_SIZE_BYTES = 128
_LOOKED_AT_BYTES = _SIZE_BYTES + 3
_NO_GENRE = 255


def add(end: bytes, frames: Frames, *, is_v24: bool) -> bool:
    """Add what a tag at the file's end tells and the frames do not; whether there is one.

    Args:
        end: at least the last 131 bytes of the file.
        frames: what the ID3v2 tag told.
        is_v24: whether the year is 2.4's frame.

    Raises:
        Beyond: a tag lies elsewhere than it should.
    """
    end = end[-_LOOKED_AT_BYTES:]
    place = end.find(b"TAG")
    if place < 0:
        return False
    if place != _LOOKED_AT_BYTES - _SIZE_BYTES or len(end) != _LOOKED_AT_BYTES:
        raise Beyond
    tag = end[place:]
    title, artist, album = _text(tag[3:33]), _text(tag[33:63]), _text(tag[63:93])
    year, comment, number = _text(tag[93:97]), tag[97:127], 0
    if comment[-2] == 0:  # 1.1
        comment, number = comment[:-2], comment[-1]
    note = _text(comment)
    told = {"TIT2": [title], "TPE1": [artist], "TALB": [album], "TYER": [year]}
    if is_v24 and year:
        told["TDRC"] = [time_stamp(part) for part in year.split(",")]
        del told["TYER"]
    for name, texts in told.items():
        if (name == "TDRC" or texts[0]) and name not in frames:
            frames[name] = Frame(name, text=texts)
    if note and "COMM:ID3v1 Comment:eng" not in frames:
        frames["COMM:ID3v1 Comment:eng"] = Frame("COMM", desc="ID3v1 Comment", text=[note])
    if number and "TRCK" not in frames:
        frames["TRCK"] = Frame("TRCK", text=[str(number)])
    if tag[127] != _NO_GENRE and "TCON" not in frames:
        frames["TCON"] = Frame("TCON", genres=genres([str(tag[127])]))
    return True


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].strip().decode("latin-1")
