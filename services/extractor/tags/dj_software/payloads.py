"""Finds DJ software's data among a file's raw tags, in whatever form its container has them. Pure.

ID3 holds bytes in GEOB and PRIV frames; the other containers hold text, mostly base64. What that
encodes names itself: Serato's begins with a MIME type and a name, Mixed In Key's is a JSON object.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.extractor.tags.dj_software import mixed_in_key, serato, traktor
from services.extractor.tags.encoded_texts import ENVELOPE, JSON, decode_base64
from services.extractor.tags.raw_tags import OBJECT, RawTags

TRAKTOR = "traktor4"
_SERATO = "serato "
TEXTS = frozenset(
    (
        "serato_markers_v2", "serato_markersv2", "serato_markers2", "serato_beatgrid",
        "serato_autogain", "serato_autotags", "markersv2", "markers2", "beatgrid", "autgain",
        "autotags", "autogain", "cuepoints", "energy", "energylevel", "key", TRAKTOR,
    )
)  # fmt: skip
"""Names of the text tags that may hold data of DJ software."""
_MIME_TYPE = b"application/octet-stream"
_LARGEST = 2_000_000
"""Letters or bytes of a tag: Traktor's trees with their waveforms have some 60,000."""
_SHORTENED = 100


class Payload(NamedTuple):
    """What a program wrote: its name, the tag's, and the bytes."""

    program: str
    name: str
    content: bytes


def payloads(raw: RawTags, names: Iterable[str]) -> Iterator[Payload]:
    """The data of DJ software in the tags of these names; what is no such data is passed over."""
    for name in names:
        if name.startswith(OBJECT):
            yield from _of_object(name.removeprefix(OBJECT), raw[name])
        elif name in TEXTS:
            yield from _of_texts(name, raw[name])


def _of_object(name: str, values: Sequence[str]) -> Iterator[Payload]:
    if name.startswith(_SERATO):
        own_name = name.removeprefix(_SERATO)
        yield from (Payload(serato.SOURCE, own_name, _bytes(value)) for value in values)
    elif name == TRAKTOR:
        yield from (Payload(traktor.SOURCE, name, _bytes(value)) for value in values)
    else:
        yield from _of_texts(name, values)


def _of_texts(name: str, values: Sequence[str]) -> Iterator[Payload]:
    for value in map(_bounded, values):
        text = value.lstrip()
        if text.startswith(JSON):
            yield Payload(mixed_in_key.SOURCE, name, decode_base64(text) or b"")
        elif text.startswith(ENVELOPE):
            yield from _in_envelope(decode_base64(text) or b"")
        elif name == TRAKTOR:
            yield Payload(traktor.SOURCE, name, traktor.decode_base91(text))


def _bounded(value: str) -> str:
    """The value; of one that is too long a beginning, which no reader takes for the whole."""
    return value if len(value) <= _LARGEST else value[:_SHORTENED]


def _bytes(value: str) -> bytes:
    return _bounded(value).encode("latin-1", "replace")


def _in_envelope(decoded: bytes) -> Iterator[Payload]:
    """MIME type, two NULs, "Serato <name>", NUL, and the bytes of the tag."""
    title, _, content = decoded.removeprefix(_MIME_TYPE).lstrip(b"\0").partition(b"\0")
    name = title.decode("latin-1").lower()
    if name.startswith(_SERATO):
        yield Payload(serato.SOURCE, name.removeprefix(_SERATO), content)
