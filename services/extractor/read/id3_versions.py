"""How mutagen reads ID3 tags: with times as they are written, and brought to version 2.4 by us.

mutagen's own frames of times drop a text that does not begin with a number ("May 2023"), its update
to 2.4 drops a TYER that is no plain year, and it drops texts that are no UTF-8.
"""

from typing import Any

from mutagen.id3 import ID3, Frames, Frames_2_2, TextFrame

from services.extractor.read.text_repairs import id3_with_utf8_texts
from services.extractor.tags.containers.ape import NO_UTF8


class TDEN(TextFrame):
    """The encoding time, as it is written."""


class TDOR(TextFrame):
    """The original release time, as it is written."""


class TDRC(TextFrame):
    """The recording time, as it is written."""


class TDRL(TextFrame):
    """The release time, as it is written."""


class TDTG(TextFrame):
    """The tagging time, as it is written."""


_TIMES: dict[str, Any] = {frame.__name__: frame for frame in (TDEN, TDOR, TDRC, TDRL, TDTG)}
_AS_WRITTEN = {"known_frames": {**Frames, **Frames_2_2, **_TIMES}, "translate": False}
_V24 = (2, 4)
_YEAR_LETTERS = 4
_LATIN1 = 0


def load_with_id3(kind: Any, file: Any) -> Any:
    """An object of mutagen of a kind that reads ID3 tags, or is one."""
    repaired = id3_with_utf8_texts(file)
    file.seek(0)
    loaded = kind(file if repaired is None else repaired, **_AS_WRITTEN)
    tags = loaded if isinstance(loaded, ID3) else loaded.tags
    if isinstance(tags, ID3):
        if repaired is not None:
            _mark_what_is_no_utf8(tags)
        _update_to_v24(tags)
    return loaded


def _mark_what_is_no_utf8(tags: ID3) -> None:
    for frame in tags.values():
        text = getattr(frame, "text", None)
        if isinstance(text, str):
            frame.text = text.replace(NO_UTF8, "\ufffd")
        elif text:
            frame.text = [
                one.replace(NO_UTF8, "\ufffd") if isinstance(one, str) else one for one in text
            ]


def _update_to_v24(tags: ID3) -> None:
    """Change frames of older versions in place."""
    years = [str(text) for text in tags["TYER"].text if text] if "TYER" in tags else []
    if years and "TDRC" in tags and tags.version >= _V24:
        # The year of an ID3v1 tag: mutagen makes it a TDRC where there is none.
        of_v1 = tags["TDRC"]
        if of_v1.encoding == _LATIN1 and len(of_v1.text[0]) <= _YEAR_LETTERS:
            del tags["TDRC"]
    original = tags.pop("TORY", None)
    if original is not None and "TDOR" not in tags:
        tags.add(
            _TIMES["TDOR"](encoding=original.encoding, text=[str(text) for text in original.text])
        )
    has_time, recording_dates = "TDRC" in tags, tags.get("TRDA")
    tags.update_to_v24()
    if recording_dates is not None:
        tags.add(recording_dates)
    if years and not has_time and "TDRC" not in tags:
        tags.add(_TIMES["TDRC"](encoding=3, text=years))
