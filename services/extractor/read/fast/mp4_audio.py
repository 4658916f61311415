"""How an MP4 file's sound is encoded: AAC and ALAC.

Sources: ISO/IEC 14496-1, section 7.2.6 (descriptors); 14496-3, section 1.6 (AudioSpecificConfig);
Apple's "ALACMagicCookieDescription".
"""

import struct

from services.extractor.read.fast.parsed_file import StreamInfo, Unsupported

_RATES_HZ = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
_ENTRY = struct.Struct(">8xHH4xI")  # an audio entry's fields after the data reference
_STREAM, _DECODER, _SPECIFIC = 3, 4, 5  # tags of descriptors
_AAC_IN_AUDIO = (0x40, 5)  # object type and stream type
_LOW_COMPLEXITY = 2
_SYNC_EXTENSION = 0x2B7
_SBR = 5
_HIGHEST_RATE_WITH_SBR_HZ = 24_000


def read_description(block: bytes, info: StreamInfo) -> None:
    """Fill in what the first entry of a sample description (`stsd`) says.

    Raises:
        Unsupported: it is neither AAC LC nor ALAC, or unusual.
        struct.error, IndexError: it is cut off.
    """
    if block[0]:  # the version
        raise Unsupported
    (entries,) = struct.unpack_from(">I", block, 4)
    if not entries:
        return
    size, codec = struct.unpack_from(">I4s", block, 8)
    entry = block[16 : 8 + size]
    if size < 8 or len(entry) != size - 8:
        raise Unsupported
    info.channels, info.bits_per_sample, rate = _ENTRY.unpack_from(entry, 8)
    info.sample_rate = rate >> 16  # a number with 16 bits of fraction
    extra_size, extra = struct.unpack_from(">I4s", entry, 28)
    content = entry[36 : 28 + extra_size]
    if extra_size < 12 or len(content) != extra_size - 8 or content[0]:
        raise Unsupported
    info.codec = codec.decode("latin-1")
    if codec == b"mp4a" and extra == b"esds":
        _read_aac(content[4:], info)
    elif codec == b"alac" and extra == b"alac":
        _read_alac(content[4:], info)
    else:
        raise Unsupported


def _read_alac(cookie: bytes, info: StreamInfo) -> None:
    if cookie[4]:  # the compatible version
        raise Unsupported
    info.bits_per_sample, info.channels = cookie[5], cookie[9]
    info.bitrate, info.sample_rate = struct.unpack_from(">II", cookie, 16)


def _read_aac(block: bytes, info: StreamInfo) -> None:
    stream = _descriptor(block, _STREAM)
    if stream[2] & 0xE0:  # it depends on other streams
        raise Unsupported
    decoder = _descriptor(stream[3:], _DECODER)
    if (decoder[0], decoder[1] >> 2) != _AAC_IN_AUDIO:
        raise Unsupported
    (info.bitrate,) = struct.unpack_from(">I", decoder, 9)
    info.codec += ".40"
    _read_specific_config(_descriptor(decoder[13:], _SPECIFIC), info)


def _descriptor(block: bytes, tag: int) -> bytes:
    """The content of the descriptor that a block begins with."""
    if block[0] != tag:
        raise Unsupported
    # The length has seven bits a byte, in up to four bytes; the highest bit says that more follow.
    length = offset = 0
    for offset in range(1, 5):
        length = length << 7 | block[offset] & 0x7F
        if not block[offset] >> 7:
            break
    else:
        raise Unsupported
    content = block[offset + 1 : offset + 1 + length]
    if len(content) != length:
        raise Unsupported
    return content


def _read_specific_config(config: bytes, info: StreamInfo) -> None:
    """Rate and channels of AAC LC.

    Spectral band replication (SBR) may double the rate without saying so: then only a decoder
    notices, and the rate of the sample description stays.
    """
    fields = int.from_bytes(config[:2], "big")
    kind, rate, channels, special = fields >> 11, fields >> 7 & 15, fields >> 3 & 15, fields & 3
    if len(config) < 2 or kind != _LOW_COMPLEXITY or special or not 1 <= channels <= 7:
        raise Unsupported
    rate_hz = _RATES_HZ[rate]
    says_no_sbr = False
    if len(config) >= 4:
        extension = int.from_bytes(config[2:5].ljust(3, b"\0"), "big")
        if extension >> 13 == _SYNC_EXTENSION:
            if len(config) < 5 or extension >> 8 & 31 != _SBR or extension >> 7 & 1:
                raise Unsupported
            says_no_sbr = True
    if says_no_sbr or rate_hz > _HIGHEST_RATE_WITH_SBR_HZ:
        info.sample_rate = rate_hz
    if channels > 1:  # one channel may become two by parametric stereo
        info.channels = 8 if channels == 7 else channels  # configuration 7 is 7.1
    else:
        info.is_guess = True
