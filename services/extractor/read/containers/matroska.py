"""Matroska and WebM with sound alone, or sound beside images.

Sources: RFC 8794 (EBML), RFC 9559 (Matroska), and https://www.matroska.org/technical/tagging.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.extractor.read.chapters import matroska_chapters
from services.extractor.read.containers.chunks import Malformed
from services.extractor.read.containers.ebml import (
    elements,
    first_of_each,
    float_of,
    integer_of,
    read_header,
    read_number,
    text_of,
)
from services.extractor.read.fast.parsed_file import StreamInfo
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.metadata import Container, Metadata, audio_properties
from services.extractor.tags.containers import vorbis
from services.extractor.tags.model import Picture

_EBML, _SEGMENT, _SEEK_HEAD = 0x1A45DFA3, 0x18538067, 0x114D9B74
_INFO, _TRACKS, _TRACK_ENTRY = 0x1549A966, 0x1654AE6B, 0xAE
_CLUSTER, _TAGS, _ATTACHMENTS = 0x1F43B675, 0x1254C367, 0x1941A469
_CHAPTERS = 0x1043A770
_READ = frozenset((_INFO, _TRACKS, _TAGS, _ATTACHMENTS, _CHAPTERS))
_TOP = frozenset((*_READ, _SEEK_HEAD, _CLUSTER, 0x1C53BB6B))  # also cues
_TIME, _BLOCK, _BLOCK_GROUP = 0xE7, 0xA3, 0xA0
_SOUND = 2
_ALBUM, _TRACK = 50, 30  # target types
_MOST_ELEMENTS = 200_000
_MOST_BYTES = 64 * 2**20
_CODECS = {
    "A_OPUS": "opus", "A_VORBIS": "vorbis", "A_FLAC": "flac", "A_AC3": "ac3", "A_EAC3": "eac3",
    "A_MPEG/L3": "mp3", "A_MPEG/L2": "mp2", "A_MPEG/L1": "mp1", "A_AAC": "aac", "A_ALAC": "alac",
    "A_DTS": "dts", "A_TRUEHD": "truehd", "A_PCM/INT/LIT": "pcm", "A_PCM/INT/BIG": "pcm",
    "A_PCM/FLOAT/IEEE": "pcm", "A_WAVPACK4": "wavpack", "A_TTA1": "tta", "A_MLP": "mlp",
}  # fmt: skip
_LOSSLESS = frozenset(("pcm", "flac", "alac", "wavpack", "tta"))
_STATISTICS = frozenset(("BPS", "DURATION", "NUMBER_OF_BYTES", "NUMBER_OF_FRAMES"))
_DEFAULT_RATE_HZ = 8_000
_NAMES = {
    "LEAD_PERFORMER": "performer", "PART_NUMBER": "tracknumber", "DATE_RELEASED": "date",
    "DATE_RECORDED": "date", "LABEL_CODE": "labelcode", "CATALOG_NUMBER": "catalognumber",
    "ENCODER": "encodedby", "SORT_WITH": "titlesort", "INITIAL_KEY": "key", "REMIXED_BY": "remixer",
    "TOTAL_PARTS": "totaltracks",
}  # fmt: skip
_NAMES_OF_ALBUM = {
    "TITLE": "album", "ARTIST": "albumartist", "PART_NUMBER": "discnumber",
    "SORT_WITH": "albumsort", "TOTAL_PARTS": "totaltracks",
}  # fmt: skip


@dataclass(slots=True)
class _Segment:
    """What is read of a segment: its elements by id, and where its last cluster is."""

    elements: dict[int, list[bytes]] = field(default_factory=dict)
    last_cluster: int = 0

    def children(self, kind: int, child: int) -> Iterator[bytes]:
        """The contents of one kind in the elements of another."""
        for content in self.elements.get(kind, ()):
            yield from (value for found, value in elements(content) if found == child)


def parse(file: FileBytes, start: int) -> Metadata:
    """The Matroska file that begins at an offset.

    Raises:
        Malformed: it is no Matroska, or holds no sound.
    """
    segment = _segment(file, start)
    info = _info(file, segment)
    container = Container("matroska", info.codec, vorbis.raw_tags, vorbis.pictures)
    raw = vorbis.raw_tags(_tags(segment))
    audio = audio_properties(info, container, file.size)
    chapters = matroska_chapters(b"".join(segment.elements.get(_CHAPTERS, ())))
    return Metadata(raw, audio, list(_pictures(segment)), is_guess=False, chapters=chapters)


def _segment(file: FileBytes, start: int) -> _Segment:
    kind, offset, size = read_header(file, start)
    if kind != _EBML or size < 0:
        raise Malformed("it does not begin as Matroska does")
    kind, offset, _ = read_header(file, offset + size)
    if kind != _SEGMENT:
        raise Malformed("it holds no segment")
    segment = _Segment()
    for _ in range(_MOST_ELEMENTS):
        try:
            kind, begin, size = read_header(file, offset)
        except (Malformed, IndexError):
            break
        if kind == _CLUSTER:
            segment.last_cluster = begin
        if size < 0:  # a live stream: the cluster ends where another element of the segment begins
            size = 0
        elif kind in _READ and size <= _MOST_BYTES:
            segment.elements.setdefault(kind, []).append(file.read(begin, size))
        offset = begin + size
    return segment


def _info(file: FileBytes, segment: _Segment) -> StreamInfo:
    general = first_of_each(b"".join(segment.elements.get(_INFO, ())))
    scale_s = integer_of(general.get(0x2AD7B1, b""), 1_000_000) / 1e9
    tracks = map(first_of_each, segment.children(_TRACKS, _TRACK_ENTRY))
    track = next((one for one in tracks if integer_of(one.get(0x83, b"")) == _SOUND), None)
    if track is None:
        raise Malformed("it holds no sound")
    sound = first_of_each(track.get(0xE1, b""))
    length_s = float_of(general.get(0x4489, b"")) * scale_s
    if not length_s > 0:
        length_s = _last_time(file, segment.last_cluster) * scale_s
    name = text_of(track.get(0x86, b""))
    codec = _CODECS.get(name) or _CODECS.get(name.partition("/")[0])
    bits = integer_of(sound.get(0x6264, b"")) if codec in _LOSSLESS else 0
    rate_hz = float_of(sound.get(0x78B5, b"")) or float_of(sound.get(0xB5, b"")) or _DEFAULT_RATE_HZ
    return StreamInfo(
        length=length_s,
        sample_rate=round(rate_hz),
        channels=integer_of(sound.get(0x9F, b""), 1),
        bits_per_sample=bits,
        codec=codec or name.removeprefix("A_").lower(),
    )


def _last_time(file: FileBytes, cluster: int) -> int:
    """Where the last block of a cluster ends, in the segment's units: live streams do not say.

    The block is taken to last as long as the one before it.
    """
    offset, time, times = cluster, 0, [0]
    for _ in range(_MOST_ELEMENTS if cluster else 0):
        try:
            kind, begin, size = read_header(file, offset)
        except (Malformed, IndexError):
            break
        if kind in _TOP or size < 0 or begin + size > file.size:
            break
        head = b""
        if kind == _TIME:
            time = integer_of(file.read(begin, size))
        elif kind == _BLOCK:
            head = file.read(begin, 24)
        elif kind == _BLOCK_GROUP:
            head = next((value for _, value in elements(file.read(begin, size))), b"")
        if head:  # the track's number, and a time relative to the cluster's
            _, at = read_number(head, 0, keeps_marker=False)
            times.append(time + int.from_bytes(head[at : at + 2], "big", signed=True))
        offset = begin + size
    return max(0, 2 * times[-1] - times[-2] if len(times) > 2 else times[-1])


def _tags(segment: _Segment) -> list[tuple[str, str]]:
    """The tags under the names of Vorbis comments.

    Tags without a target are the track's, as FFmpeg writes them all, unless others say that they
    are: then those without are the album's, which is the target by default.
    """
    tags = list(map(_tag, segment.children(_TAGS, 0x7373)))
    has_levels = any(level == _TRACK for level, _ in tags)
    found: list[tuple[str, str]] = []
    for level, pairs in tags:
        names = _NAMES_OF_ALBUM if has_levels and level != _TRACK else {}
        for name, value in pairs if level in {None, _TRACK, _ALBUM} else ():
            found.append((names.get(name) or _NAMES.get(name) or name.lower(), value))
    title = first_of_each(b"".join(segment.elements.get(_INFO, ()))).get(0x7BA9)
    if title and not any(name == "title" for name, _ in found):
        found.append(("title", text_of(title)))
    return found


def _tag(content: bytes) -> tuple[int | None, list[tuple[str, str]]]:
    """The target's level, None where it has none, and the pairs of name and value of a tag."""
    targets = first_of_each(first_of_each(content).get(0x63C0, b""))
    level = integer_of(targets[0x68CA]) if 0x68CA in targets else None
    simple = (first_of_each(entry) for kind, entry in elements(content) if kind == 0x67C8)
    pairs = [(text_of(one.get(0x45A3, b"")), text_of(one.get(0x4487, b""))) for one in simple]
    return level, [(name.upper(), value) for name, value in pairs if value and _says(name)]


def _says(name: str) -> bool:
    """Whether a tag is of the music: muxers write numbers of their own into tags."""
    return bool(name) and name not in _STATISTICS and not name.startswith("_STATISTICS")


def _pictures(segment: _Segment) -> Iterator[Picture]:
    """The attached images: by the specification the cover is called `cover`."""
    for values in map(first_of_each, segment.children(_ATTACHMENTS, 0x61A7)):
        if text_of(values.get(0x4660, b"")).startswith("image/") and 0x465C in values:
            is_cover = text_of(values.get(0x466E, b"")).lower().startswith("cover")
            yield Picture(3 if is_cover else 0, values[0x465C])
