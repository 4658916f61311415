"""The kind of a file by its first bytes, whatever its name ends in."""

from collections.abc import Mapping, Sequence

from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.optimfrog import OptimFROG
from mutagen.tak import TAK
from mutagen.trueaudio import TrueAudio
from mutagen.wavpack import WavPack

from services.extractor.read.containers.chunks import WAVE_FORMS
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound import mpeg_frames

WAVE, AIFF, MATROSKA = "WAVE", "AIFF", "MATROSKA"
"""Kinds that `containers` reads."""
Kind = type | str
_BY_FOUR: Mapping[bytes, Kind] = {
    b"fLaC": FLAC, b"MAC ": MonkeysAudio, b"wvpk": WavPack, b"MPCK": Musepack, b"TTA1": TrueAudio,
    b"tBaK": TAK, b"OFR ": OptimFROG, b"DSD ": DSF, b"FRM8": DSDIFF, b"ADIF": AAC,
    b"\x1a\x45\xdf\xa3": MATROSKA, b"\x30\x26\xb2\x75": ASF,
}  # fmt: skip
_BY_PLACE: Sequence[tuple[int, bytes, Kind]] = (
    (4, b"ftyp", MP4), (0, b"MP+", Musepack), (0, b"\x0b\x77", AC3),
)  # fmt: skip
_AIFF = frozenset((b"AIFF", b"AIFC"))
_OGG = ((b"\x01vorbis", OggVorbis), (b"OpusHead", OggOpus), (b"\x7fFLAC", OggFLAC),
        (b"Speex   ", OggSpeex))  # fmt: skip


def kind_of(file: FileBytes, start: int) -> Kind | None:
    """The kind of what begins at an offset (behind an ID3v2 tag); None where it is not certain."""
    head = file.read(start, 320)
    known = _BY_FOUR.get(head[:4])
    if known is not None:
        return known
    for place, signature, kind in _BY_PLACE:
        if head.startswith(signature, place):
            return kind
    if head[:4] == b"OggS" and len(head) > 27:
        packet = head[27 + head[26] :]
        return next((kind for marker, kind in _OGG if packet.startswith(marker)), None)
    form = head[8:12]
    if (head[:4] in WAVE_FORMS and form == b"WAVE") or (head[:4] == b"FORM" and form in _AIFF):
        return AIFF if head[:4] == b"FORM" else WAVE
    if _is_adts(file, start):
        return AAC
    return MP3 if mpeg_frames.is_stream(file, start) else None


def _is_adts(file: FileBytes, offset: int) -> bool:
    """Whether three ADTS frames follow each other: MPEG audio has other layers."""
    for _ in range(3):
        head = file.read(offset, 7)
        if len(head) < 7:
            return False
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or size < 8:
            return False
        offset += size
        if offset == file.size:
            break
    return True
