"""MPEG audio frames, and what Xing, Info and LAME headers say of a whole file.

Sources: ISO/IEC 11172-3 and 13818-3, section 2.4.2.3; http://gabriel.mp3-tech.org/mp3infotag.html
"""

from dataclasses import dataclass

from services.extractor.read.fast.found import Beyond, Info
from services.extractor.read.fast.window import Window

_FRAMES = 4
"""So many must follow each other where none has a header."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_V1 = 3
_LAYER_1, _LAYER_2, _LAYER_3 = 3, 2, 1
_LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KBPS = {
    (True, _LAYER_1): tuple(range(32, 449, 32)),
    (True, _LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, _LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, _LAYER_1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, _LAYER_2): _LOW,
    (False, _LAYER_3): _LOW,
}
_MONO = 3
_HAS_FRAMES, _HAS_BYTES, _HAS_TOC, _HAS_QUALITY = 1, 2, 4, 8
_VBRI_PLACE = 36


@dataclass(frozen=True, slots=True)
class _Frame:
    place: int
    length: int
    samples: int
    bitrate: int
    rate_hz: int
    channels: int
    layer: int
    header_place: int


def info(window: Window, place: int) -> Info:
    """What the frames tell that begin at a place.

    Raises:
        Beyond: none begins there, or there are fewer than are needed to be sure.
    """
    first = None
    for _ in range(_FRAMES):
        frame = _frame(window, place)
        first = first or frame
        if frame.layer == 3:
            told = _told_by_header(window, frame)
            if told is not None:
                return told
        place += frame.length
    assert first is not None
    return _info(first, window, first.bitrate)


def _info(frame: _Frame, window: Window, bitrate: int, length_s: float | None = None) -> Info:
    if length_s is None:
        length_s = 8 * (window.size - frame.place) / float(bitrate)
    return Info(
        length=length_s,
        bitrate=bitrate,
        sample_rate=frame.rate_hz,
        channels=frame.channels,
        layer=frame.layer,
    )


def _frame(window: Window, place: int) -> _Frame:
    head = int.from_bytes(window.at(place, 4), "big")
    version, layer, rate = head >> 19 & 3, head >> 17 & 3, head >> 10 & 3
    kbps, padding, mode = head >> 12 & 15, head >> 9 & 1, head >> 6 & 3
    if head >> 21 != 0x7FF or version == 1 or not layer or rate == 3 or kbps in {0, 15}:
        raise Beyond
    is_v1 = version == _V1
    bitrate = _KBPS[is_v1, layer][kbps - 1] * 1000
    rate_hz = _RATES_HZ[version][rate]
    samples, slot = 1152, 1
    if layer == _LAYER_1:
        samples, slot = 384, 4
    elif layer == _LAYER_3 and not is_v1:
        samples = 576
    is_mono = mode == _MONO
    return _Frame(
        place=place,
        length=(samples // 8 * bitrate // rate_hz + padding) * slot,
        samples=samples,
        bitrate=bitrate,
        rate_hz=rate_hz,
        channels=1 if is_mono else 2,
        layer=4 - layer,
        header_place=place + ((21 if is_mono else 36) if is_v1 else (13 if is_mono else 21)),
    )


def _told_by_header(window: Window, frame: _Frame) -> Info | None:
    """What a Xing or Info header in a frame says; None where it has none."""
    if window.at(frame.place + _VBRI_PLACE, 4) == b"VBRI":
        raise Beyond
    place = frame.header_place
    head = window.at(place, 8)
    if head[:4] not in {b"Xing", b"Info"}:
        return None
    flags, place = head[7], place + 8
    frames = size = None
    if flags & _HAS_FRAMES:
        frames, place = int.from_bytes(window.at(place, 4), "big"), place + 4
    if flags & _HAS_BYTES:
        size, place = int.from_bytes(window.at(place, 4), "big"), place + 4
    place += (100 if flags & _HAS_TOC else 0) + (4 if flags & _HAS_QUALITY else 0)
    if frames is None:
        return _info(frame, window, frame.bitrate)
    samples, bitrate = frame.samples * frames, frame.bitrate
    if size is not None and samples > 0:
        heard_bytes = max(0, size - frame.length)  # the first frame is no sound
        bitrate = round(heard_bytes * 8 * frame.rate_hz / float(samples))
    samples -= _silence(window, place)
    return _info(frame, window, bitrate, float(max(0, samples)) / frame.rate_hz)


def _silence(window: Window, place: int) -> int:
    """Samples that LAME added before and behind the sound."""
    told = window.at(place, 20 + 27)
    written = told[:20]
    if not written.startswith((b"LAME", b"L3.99")):
        return 0
    version = written.lstrip(b"EMAL")
    major, rest = version[:1], version[1:].lstrip(b".")
    minor = rest[: len(rest) - len(rest.lstrip(b"0123456789"))]
    rest = rest[len(minor) :]
    if not (major.isdigit() and minor.isdigit()):
        return 0
    number = int(major), int(minor)
    has_none = number < (3, 90) or (number == (3, 90) and rest[-11:-10] == b"(")
    header = told[9:36]
    if has_none or len(rest) < 11 or header[0] >> 4:
        return 0
    return (header[12] << 4 | header[13] >> 4) + ((header[13] & 15) << 8 | header[14])
