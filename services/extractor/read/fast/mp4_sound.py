"""How an MP4 file's sound is encoded: AAC and ALAC.

Sources: ISO/IEC 14496-1, section 7.2.6 (descriptors); 14496-3, section 1.6 (AudioSpecificConfig);
Apple's "ALACMagicCookieDescription".
"""

import struct

from services.extractor.read.fast.found import Beyond, Info

_RATES_HZ = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
_ENTRY = struct.Struct(">8xHH4xI")  # what follows the data reference: sounds' own fields
_STREAM, _DECODER, _SPECIFIC = 3, 4, 5
_AAC_IN_AUDIO = (0x40, 5)
_LOW_COMPLEXITY = 2
_SYNC = 0x2B7
_MOST_RATE_WITH_SBR_HZ = 24_000


def read_description(block: bytes, info: Info) -> None:
    """Fill in what the first entry of a sample description (`stsd`) tells."""
    if block[0]:
        raise Beyond
    (entries,) = struct.unpack_from(">I", block, 4)
    if not entries:
        return
    size, codec = struct.unpack_from(">I4s", block, 8)
    entry = block[16 : 8 + size]
    if size < 8 or len(entry) != size - 8:
        raise Beyond
    info.channels, info.bits_per_sample, rate = _ENTRY.unpack_from(entry, 8)
    info.sample_rate = rate >> 16
    extra_size, extra = struct.unpack_from(">I4s", entry, 28)
    content = entry[36 : 28 + extra_size]
    if extra_size < 12 or len(content) != extra_size - 8 or content[0]:
        raise Beyond
    info.codec = codec.decode("latin-1")
    if codec == b"mp4a" and extra == b"esds":
        _read_aac(content[4:], info)
    elif codec == b"alac" and extra == b"alac":
        _read_alac(content[4:], info)
    else:
        raise Beyond


def _read_alac(cookie: bytes, info: Info) -> None:
    if cookie[4]:
        raise Beyond
    info.bits_per_sample, info.channels = cookie[5], cookie[9]
    info.bitrate, info.sample_rate = struct.unpack_from(">II", cookie, 16)


def _read_aac(block: bytes, info: Info) -> None:
    stream = _descriptor(block, _STREAM)
    if stream[2] & 0xE0:  # it depends on other streams
        raise Beyond
    decoder = _descriptor(stream[3:], _DECODER)
    if (decoder[0], decoder[1] >> 2) != _AAC_IN_AUDIO:
        raise Beyond
    (info.bitrate,) = struct.unpack_from(">I", decoder, 9)
    info.codec += ".40"
    _read_specific(_descriptor(decoder[13:], _SPECIFIC), info)


def _descriptor(block: bytes, kind: int) -> bytes:
    """The content of the descriptor that a block begins with."""
    if block[0] != kind:
        raise Beyond
    length = place = 0
    for place in range(1, 5):
        length = length << 7 | block[place] & 0x7F
        if not block[place] >> 7:
            break
    else:
        raise Beyond
    content = block[place + 1 : place + 1 + length]
    if len(content) != length:
        raise Beyond
    return content


def _read_specific(config: bytes, info: Info) -> None:
    """AAC LC, whose rate may be doubled by what only a decoder notices."""
    told = int.from_bytes(config[:2], "big")
    kind, rate, channels, is_special = told >> 11, told >> 7 & 15, told >> 3 & 15, told & 3
    if len(config) < 2 or kind != _LOW_COMPLEXITY or is_special or not 1 <= channels <= 7:
        raise Beyond
    rate_hz = _RATES_HZ[rate]
    says_no_sbr = False
    if len(config) >= 4:
        extension = int.from_bytes(config[2:5].ljust(3, b"\0"), "big")
        if extension >> 13 == _SYNC:
            if len(config) < 5 or extension >> 8 & 31 != 5 or extension >> 7 & 1:
                raise Beyond
            says_no_sbr = True
    if says_no_sbr or rate_hz > _MOST_RATE_WITH_SBR_HZ:
        info.sample_rate = rate_hz
    if channels > 1:  # one may be two by parametric stereo
        info.channels = 8 if channels == 7 else channels
