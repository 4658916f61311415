"""MP3: an ID3v2 tag, MPEG frames, an ID3v1 tag; either tag may be missing.

A Xing or Info header in the first frame tells the length of the whole file, and LAME's extension of
it the silence around the sound.

Sources: ISO/IEC 11172-3 and 13818-3, section 2.4.2.3; http://gabriel.mp3-tech.org/mp3infotag.html
"""

from dataclasses import dataclass

from services.extractor.read.fast.id3 import Frames, add_v1, read_v2, update_to_v24
from services.extractor.read.fast.parsed_file import ParsedFile, StreamInfo, Unsupported
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound.mpeg_frames import fits

_TAIL_BYTES = 32 + 128  # the footer of an APEv2 tag, and an ID3v1 tag after it
_NEEDED_FRAMES = 4
"""So many must follow each other where none has a Xing or Info header."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_V1 = 3  # the header's two bits: 3 is MPEG-1, 2 is MPEG-2, 0 is the unofficial MPEG-2.5
_LAYER_1, _LAYER_2, _LAYER_3 = 3, 2, 1
_LOW_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KBPS = {
    (True, _LAYER_1): tuple(range(32, 449, 32)),
    (True, _LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, _LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, _LAYER_1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, _LAYER_2): _LOW_KBPS,
    (False, _LAYER_3): _LOW_KBPS,
}
_MONO = 3
_HAS_FRAMES, _HAS_BYTES, _HAS_TOC, _HAS_QUALITY = 1, 2, 4, 8
_VBRI_OFFSET = 36
_TRACK_GAIN = 1


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's header, and where what follows it lies.

    Attributes:
        offset: of the frame, in the file.
        length: of the frame with its header, in bytes.
        samples: of one channel.
        bitrate: in bits a second.
        xing_offset: where a Xing or Info header would be, in the file.
    """

    offset: int
    length: int
    samples: int
    bitrate: int
    rate_hz: int
    channels: int
    layer: int
    xing_offset: int


def parse(file: FileBytes) -> ParsedFile:
    """An MP3 file without an APEv2 or Lyrics3 tag."""
    tail = file.read_tail(_TAIL_BYTES)
    if b"APETAGEX" in tail or b"LYRICS200" in tail:
        raise Unsupported
    frames = Frames()
    size = version = 0
    has_v2 = file.head.startswith(b"ID3")
    if has_v2:
        version, size = read_v2(file, frames)
    has_v1 = add_v1(tail, frames, is_v24=not has_v2 or version == 4)
    tags = update_to_v24(frames) if has_v2 or has_v1 else None
    return ParsedFile(_mpeg_info(file, size), tags)


def _mpeg_info(file: FileBytes, offset: int) -> StreamInfo:
    """The audio properties from the frames at an offset.

    Raises:
        Unsupported: no frame is there, or there are fewer than are needed to be sure.
    """
    first = None
    for _ in range(_NEEDED_FRAMES):
        frame = _frame(file, offset)
        first = first or frame
        if frame.layer == 3:
            info = _info_from_header(file, frame)
            if info is not None:
                return info
        offset += frame.length
    assert first is not None
    info = _info(first, file, first.bitrate)
    info.is_guess = True
    return info


def _info(
    frame: _Frame, file: FileBytes, bitrate: int, length_s: float | None = None
) -> StreamInfo:
    if length_s is None:  # taken to be of a constant bitrate
        length_s = 8 * (file.size - frame.offset) / float(bitrate)
    return StreamInfo(
        length=length_s,
        bitrate=bitrate,
        sample_rate=frame.rate_hz,
        channels=frame.channels,
        layer=frame.layer,
    )


def _frame(file: FileBytes, offset: int) -> _Frame:
    header = int.from_bytes(file.read_exactly(offset, 4), "big")
    version, layer, rate = header >> 19 & 3, header >> 17 & 3, header >> 10 & 3
    kbps, padding, mode = header >> 12 & 15, header >> 9 & 1, header >> 6 & 3
    # 11 bits of sync. Version 1, layer 0 and rate 3 are reserved; kbps 0 means a free format, 15 is
    # invalid.
    if header >> 21 != 0x7FF or version == 1 or not layer or rate == 3 or kbps in {0, 15}:
        raise Unsupported
    is_v1 = version == _V1
    bitrate = _KBPS[is_v1, layer][kbps - 1] * 1000
    rate_hz = _RATES_HZ[version][rate]
    samples, slot_bytes = 1152, 1
    if layer == _LAYER_1:
        samples, slot_bytes = 384, 4
    elif layer == _LAYER_3 and not is_v1:
        samples = 576
    is_mono = mode == _MONO
    # The Xing header follows the side information, whose size depends on version and channels.
    side_bytes = (17 if is_mono else 32) if is_v1 else (9 if is_mono else 17)
    return _Frame(
        offset=offset,
        length=(samples // 8 * bitrate // rate_hz + padding) * slot_bytes,
        samples=samples,
        bitrate=bitrate,
        rate_hz=rate_hz,
        channels=1 if is_mono else 2,
        layer=4 - layer,
        xing_offset=offset + 4 + side_bytes,
    )


def _info_from_header(file: FileBytes, frame: _Frame) -> StreamInfo | None:
    """The audio properties from a frame's Xing or Info header; None where it has none."""
    if file.read_exactly(frame.offset + _VBRI_OFFSET, 4) == b"VBRI":
        raise Unsupported
    offset = frame.xing_offset
    header = file.read_exactly(offset, 8)
    if header[:4] not in {b"Xing", b"Info"}:
        return None
    flags, offset = header[7], offset + 8
    frames = size = None
    if flags & _HAS_FRAMES:
        frames, offset = int.from_bytes(file.read_exactly(offset, 4), "big"), offset + 4
    if flags & _HAS_BYTES:
        size, offset = int.from_bytes(file.read_exactly(offset, 4), "big"), offset + 4
    offset += (100 if flags & _HAS_TOC else 0) + (4 if flags & _HAS_QUALITY else 0)
    if frames is None:
        info = _info(frame, file, frame.bitrate)
        info.is_guess = True
        return info
    samples, bitrate = frame.samples * frames, frame.bitrate
    if size is not None and samples > 0:
        audio_bytes = max(0, size - frame.length)  # the header's own frame holds no sound
        bitrate = round(audio_bytes * 8 * frame.rate_hz / float(samples))
    lame = _lame_header(file, offset)
    if lame is not None:
        # The silence that LAME added before and after the sound: 12 bits each.
        samples -= (lame[12] << 4 | lame[13] >> 4) + ((lame[13] & 15) << 8 | lame[14])
    info = _info(frame, file, bitrate, float(max(0, samples)) / frame.rate_hz)
    if lame is not None:
        _read_gains(lame, info)
    # A file that was cut, or to which another was joined, has not the size that the header tells.
    info.is_guess = size is None or not fits(frame.offset + size, file.size)
    return info


def _read_gains(lame: bytes, info: StreamInfo) -> None:
    """Three bits say what a gain is, three where it comes from, one is its sign."""
    if peak := int.from_bytes(lame[2:6], "big"):
        info.track_peak = peak / 2**23
    gain = int.from_bytes(lame[6:8], "big")
    if gain >> 13 == _TRACK_GAIN:
        info.track_gain = (gain & 511) / 10.0 * (-1 if gain & 512 else 1)


def _lame_header(file: FileBytes, offset: int) -> bytes | None:
    """LAME's extension of a Xing or Info header; None where there is none.

    Only versions from 3.90 on write the header that holds them. mutagen reads the version's text
    in the same way.
    """
    header = file.read_exactly(offset, 20 + 27)
    encoder = header[:20]
    if not encoder.startswith((b"LAME", b"L3.99")):
        return None
    version = encoder.lstrip(b"EMAL")
    major, rest = version[:1], version[1:].lstrip(b".")
    minor = rest[: len(rest) - len(rest.lstrip(b"0123456789"))]
    rest = rest[len(minor) :]
    if not (major.isdigit() and minor.isdigit()):
        return None
    number = int(major), int(minor)
    has_no_header = number < (3, 90) or (number == (3, 90) and rest[-11:-10] == b"(")
    lame = header[9:36]
    return None if has_no_header or len(rest) < 11 or lame[0] >> 4 else lame
