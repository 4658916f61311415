"""How mutagen reads ID3 tags: with times as they are written, and brought to version 2.4 by us.

mutagen's own frames of times drop a text that does not begin with a number ("May 2023"), and its
update to 2.4 drops a TYER that is no plain year.
"""

from typing import Any

from mutagen.id3 import ID3, Frames, Frames_2_2, TextFrame


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
AS_WRITTEN = {"known_frames": {**Frames, **Frames_2_2, **_TIMES}, "translate": False}
"""Arguments for mutagen's ID3, and for the kinds of files that have it."""
_V24 = (2, 4)
_YEAR_LETTERS = 4
_LATIN1 = 0


def update_to_v24(tags: Any) -> None:
    """Change frames of older versions in place; nothing else than ID3 tags is touched."""
    if not isinstance(tags, ID3):
        return
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
    has_time = "TDRC" in tags
    tags.update_to_v24()
    if years and not has_time and "TDRC" not in tags:
        tags.add(_TIMES["TDRC"](encoding=3, text=years))
