"""ID3v2 tags (2.2, 2.3 and 2.4) and ID3v1, as mutagen has them: brought to version 2.4.

Sources: https://id3.org/id3v2.4.0-structure and https://id3.org/ID3v1
"""

import re
from itertools import zip_longest

from services.extractor.read.fast.id3_frames import Frame, genre_names, parse_frame, time_stamp
from services.extractor.read.fast.parsed_file import Unsupported
from services.extractor.read.file_bytes import FileBytes


class Frames(dict[str, Frame]):
    """By mutagen's key: the name, and what tells frames of one name apart.

    Attributes:
        version: of the tag in the file, as mutagen has it.
    """

    version: tuple[int, ...] = (2, 4, 0)


_HEADER_BYTES = 10
_V22, _V23, _V24 = 2, 3, 4
_LARGEST_SYNCHSAFE_BYTE = 127
_EMPTY_HEADER = bytes(_HEADER_BYTES)
_V1_BYTES = 128
_V1_SEARCHED_BYTES = _V1_BYTES + 3
_V1_NO_GENRE = 255
_YEAR = re.compile(r"([0-9]{4})(-[0-9]{2}-[0-9]{2})?\Z")
_TWO_NUMBERS = re.compile(r"([0-9]{2})([0-9]{2})\Z")
_DROPPED_BY_MUTAGEN = ("RVAD", "EQUA", "TSIZ")
_V22_MIME_TYPES = frozenset(("PNG", "JPG"))
_NAMES_OF_V22 = {
    pair[:3].encode(): pair[4:]
    for pair in """
    TT1=TIT1 TT2=TIT2 TT3=TIT3 TP1=TPE1 TP2=TPE2 TP3=TPE3 TP4=TPE4 TCM=TCOM TXT=TEXT TLA=TLAN
    TCO=TCON TAL=TALB TRC=TSRC TDA=TDAT TIM=TIME TRD=TRDA TMT=TMED TFT=TFLT TCR=TCOP TPB=TPUB
    TEN=TENC TST=TSOT TSA=TSOA TS2=TSO2 TSP=TSOP TSC=TSOC TSS=TSSE TOF=TOFN TKE=TKEY TOT=TOAL
    TOA=TOPE TOL=TOLY TXX=TXXX COM=COMM TPA=TPOS TRK=TRCK UFI=UFID ULT=USLT CNT=PCNT POP=POPM
    TYE=TYER TBP=TBPM TCP=TCMP TLE=TLEN TSI=TSIZ TDY=TDLY TOR=TORY WAF=WOAF WAS=WOAS WCP=WCOP
    WPB=WPUB WXX=WXXX WAR=WOAR WCM=WCOM IPL=IPLS MVN=MVNM GP1=GRP1 MVI=MVIN GEO=GEOB MCI=MCDI
    """.split()  # noqa: SIM905 - a list of sixty strings is harder to read
}
"""Names of 2.2 and of later versions. Images of 2.2 are laid out otherwise: mutagen reads them."""


def read_v2(file: FileBytes, frames: Frames) -> tuple[int, int]:
    """Add the frames of the tag at the file's beginning.

    Returns:
        Its minor version (2 to 4), and its size with the header.

    Raises:
        Unsupported: it has flags, or frames that are unusual, repeated, or cut off.
    """
    header = file.read_exactly(0, _HEADER_BYTES)
    version, revision, flags = header[3:6]
    frames.version = (2, version, revision)
    if (
        not _V22 <= version <= _V24
        or revision
        or flags
        or max(header[6:]) > _LARGEST_SYNCHSAFE_BYTE
    ):
        raise Unsupported
    size = _synchsafe(header[6:])
    block = file.read_exactly(_HEADER_BYTES, size)
    if version == _V22:
        _read_v22_frames(block, frames)
    else:
        _read_frames(block, frames, version)
    return version, _HEADER_BYTES + size


def _synchsafe(written: bytes) -> int:
    """A number of seven bits a byte (section 6.2)."""
    return written[0] << 21 | written[1] << 14 | written[2] << 7 | written[3]


def _add_frame(frames: Frames, name: str, content: bytes, *, is_old: bool) -> None:
    keyed = parse_frame(name, content, is_old=is_old)
    if keyed is None:
        return
    key, frame = keyed
    while name == "APIC" and key in frames:
        key += " "  # several images may have the same description
    if key in frames:
        raise Unsupported
    frames[key] = frame


def _read_v22_frames(block: bytes, frames: Frames) -> None:
    offset, block_end = 0, len(block)
    while block_end - offset >= 6 and block[offset : offset + 3] != b"\0\0\0":
        size = int.from_bytes(block[offset + 3 : offset + 6], "big")
        name = _NAMES_OF_V22.get(block[offset : offset + 3])
        offset += 6 + size
        if name is None or offset > block_end:
            raise Unsupported
        if size:
            _add_frame(frames, name, block[offset - size : offset], is_old=True)


def _read_frames(block: bytes, frames: Frames, version: int) -> None:
    offset, block_end, count, is_ambiguous = 0, len(block), 0, False
    is_old = version < _V24
    while block_end - offset >= _HEADER_BYTES:
        header = block[offset : offset + _HEADER_BYTES]
        if header[:4] == b"\0\0\0\0":  # padding
            if header != _EMPTY_HEADER:
                raise Unsupported
            break
        if is_old:
            size = int.from_bytes(header[4:8], "big")
        else:
            # iTunes once wrote plain sizes into 2.4. Up to 127 both readings are one number.
            size = _synchsafe(header[4:8])
            is_ambiguous |= size > _LARGEST_SYNCHSAFE_BYTE
            if max(header[4:8]) > _LARGEST_SYNCHSAFE_BYTE:
                raise Unsupported
        begin = offset + _HEADER_BYTES
        offset = begin + size
        if offset > block_end or header[8:] != b"\0\0":
            raise Unsupported
        if size:
            _add_frame(frames, header[:4].decode("ascii"), block[begin:offset], is_old=is_old)
            count += 1
    # mutagen takes the reading that finds more frames.
    if is_ambiguous and _count_by_plain_sizes(block) > count:
        raise Unsupported


def _count_by_plain_sizes(block: bytes) -> int:
    """How many frames there are at most if their sizes are plain numbers."""
    count = offset = 0
    while offset < len(block) - _HEADER_BYTES:
        if block[offset : offset + _HEADER_BYTES] == _EMPTY_HEADER:
            break
        offset += _HEADER_BYTES + int.from_bytes(block[offset + 4 : offset + 8], "big")
        count += 1
    return count


def add_v1(tail: bytes, frames: Frames, *, is_v24: bool) -> bool:
    """Add the fields of an ID3v1 tag for which there is no frame.

    Args:
        tail: at least the last 131 bytes of the file.
        frames: those of the ID3v2 tag.
        is_v24: whether the year becomes a frame of 2.4.

    Returns:
        Whether the file has such a tag.

    Raises:
        Unsupported: a tag begins a few bytes beside its place.
    """
    tail = tail[-_V1_SEARCHED_BYTES:]
    offset = tail.find(b"TAG")
    if offset < 0:
        return False
    if offset != _V1_SEARCHED_BYTES - _V1_BYTES or len(tail) != _V1_SEARCHED_BYTES:
        raise Unsupported
    tag = tail[offset:]
    title, artist, album = _v1_text(tag[3:33]), _v1_text(tag[33:63]), _v1_text(tag[63:93])
    year, comment, number = _v1_text(tag[93:97]), tag[97:127], 0
    if comment[-2] == 0:  # ID3v1.1: a zero, and the track's number
        comment, number = comment[:-2], comment[-1]
    note = _v1_text(comment)
    fields = {"TIT2": [title], "TPE1": [artist], "TALB": [album], "TYER": [year]}
    if is_v24 and year:
        fields["TDRC"] = [year]
        del fields["TYER"]
    for name, texts in fields.items():
        if (name == "TDRC" or texts[0]) and name not in frames:
            frames[name] = Frame(name, text=texts)
    if note and "COMM:ID3v1 Comment:eng" not in frames:
        frames["COMM:ID3v1 Comment:eng"] = Frame("COMM", desc="ID3v1 Comment", text=[note])
    if number and "TRCK" not in frames:
        frames["TRCK"] = Frame("TRCK", text=[str(number)])
    if tag[127] != _V1_NO_GENRE and "TCON" not in frames:
        frames["TCON"] = Frame("TCON", genres=genre_names([str(tag[127])]))
    return True


def _v1_text(field: bytes) -> str:
    return field.partition(b"\0")[0].strip().decode("latin-1")


def update_to_v24(frames: Frames) -> Frames:
    """Change the frames in place: old ones become those of 2.4, in mutagen's order.

    Raises:
        Unsupported: a frame has no certain equivalent.
    """
    if "TYER" in frames and "TDRC" in frames and frames.version >= (2, _V24):
        raise Unsupported  # the one may be better than the other
    original = frames.pop("TORY", None)
    if original is not None and "TDOR" not in frames:
        frames["TDOR"] = Frame("TDOR", text=original.text)
    years, dates, times = (_take_texts(frames, name) for name in ("TYER", "TDAT", "TIME"))
    if "TDRC" in frames:
        years = []
    if stamps := _recording_times(years, dates, times):
        frames["TDRC"] = Frame("TDRC", text=stamps)
    involved = frames.pop("IPLS", None)
    if involved is not None and "TIPL" not in frames:
        frames["TIPL"] = Frame("TIPL", people=involved.people)
    # Programs write all kinds of dates into TYER: these become the recording time as they are.
    if not stamps and (odd_years := [year for year in years if year]):
        frames["TDRC"] = Frame("TDRC", text=odd_years)
    for name in _DROPPED_BY_MUTAGEN:
        frames.pop(name, None)
    images = [frame for frame in frames.values() if frame.FrameID == "APIC"]
    if len(images) > 1 and any(image.mime in _V22_MIME_TYPES for image in images):
        raise Unsupported
    return frames


def _take_texts(frames: Frames, name: str) -> list[str]:
    frame = frames.pop(name, None)
    return frame.text if frame is not None else []


def _recording_times(years: list[str], dates: list[str], times: list[str]) -> list[str]:
    """The times that 2.3 keeps in three frames: YYYY, DDMM, HHMM."""
    stamps = []
    for year, date, time in zip_longest(years, dates, times, fillvalue=""):
        found = _YEAR.match(year)
        if found is None:
            continue
        stamp, month_and_day = found.groups()
        if day := _TWO_NUMBERS.match(date):
            month_and_day = f"-{day[2]}-{day[1]}"
        if month_and_day:
            stamp += month_and_day
            if clock := _TWO_NUMBERS.match(time):
                stamp += f"T{clock[1]}:{clock[2]}:00"
        stamps.append(time_stamp(stamp))
    return stamps
