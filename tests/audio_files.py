"""Small files of containers that no installed encoder writes: valid headers and no sound."""

import struct
from io import BytesIO

from mutagen.ogg import OggPage

RATE_HZ = 44_100


def dsf() -> bytes:
    """DSF, one second of DSD64. Source: Sony's "DSF File Format Specification"."""
    samples, rate_hz = 2_822_400, 2_822_400
    fmt = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, rate_hz, 1, samples, 4_096, 0)
    data = b"data" + struct.pack("<Q", 12 + 8_192) + bytes(8_192)
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(fmt) + len(data), 0) + fmt + data


def dsdiff() -> bytes:
    """DSDIFF, uncompressed. Source: Philips' "DSDIFF 1.5"."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + b"\0" * (len(content) % 2)

    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", 2_822_400))
    prop += chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT")
    prop += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", prop) + chunk(b"DSD ", bytes(705_600))
    return chunk(b"FRM8", b"DSD " + body)


def monkeys_audio() -> bytes:
    """Monkey's Audio 3.99."""
    header = struct.pack("<IIIHHI", 73_728, RATE_HZ, 1, 16, 2, RATE_HZ)
    return b"MAC " + struct.pack("<H", 3_990) + bytes(50) + header + bytes(2_000)


def musepack() -> bytes:
    """Musepack SV8. Source: its "SV8 Specification"."""

    def packet(name: bytes, content: bytes) -> bytes:
        return name + bytes([len(content) + 3]) + content

    samples = bytes([0x80 | RATE_HZ >> 14, 0x80 | RATE_HZ >> 7 & 0x7F, RATE_HZ & 0x7F])
    stream = bytes(4) + b"\x08" + samples + b"\0" + bytes([0, 0x10])
    return (
        b"MPCK" + packet(b"SH", stream) + packet(b"RG", b"\1" + bytes(8)) + b"AP\x04" + bytes(2_000)
    )


def tak() -> bytes:
    """TAK, one second. Source: the "TAK decoder SDK", metadata objects; bits come lowest first."""
    packed, position = 0, 0
    fields = ((0, 10), (0, 4), (RATE_HZ, 35), (0, 3), (RATE_HZ - 6_000, 18), (8, 5), (1, 4), (0, 1))
    for value, bits in fields:  # codec, frame, samples, type, rate, bits - 8, channels - 1
        packed |= value << position
        position += bits
    stream_info = packed.to_bytes(10, "little") + bytes(3)
    return b"tBaK\1" + struct.pack("<I", len(stream_info))[:3] + stream_info + bytes(2_000)


def optimfrog() -> bytes:
    """OptimFROG, one second of 16 bits."""
    header = struct.pack("<IHBBIH", RATE_HZ * 2, 0, 2, 1, RATE_HZ, 0)
    return b"OFR " + struct.pack("<I", 15) + header + bytes(2_000)


def speex() -> bytes:
    """Ogg Speex. Source: the Speex manual, "Ogg file format"."""
    header = b"Speex   " + b"1.2".ljust(20, b"\0")
    header += struct.pack("<13i", 1, 80, 16_000, 1, 4, 1, 27_800, 320, 0, 1, 0, 0, 0)
    return _ogg(16_000, header, _NO_COMMENTS, bytes(50))


def ogg_flac() -> bytes:
    """FLAC in Ogg. Source: RFC 9639, section 10.1."""
    packed = RATE_HZ << 44 | 1 << 41 | 15 << 36 | RATE_HZ  # rate, channels - 1, bits - 1, samples
    stream_info = struct.pack(">HH6xQ16x", 4_096, 4_096, packed)
    header = b"\x7fFLAC\1\0\0\1fLaC" + struct.pack(">I", 34) + stream_info
    comments = struct.pack(">I", 0x84 << 24 | len(_NO_COMMENTS)) + _NO_COMMENTS
    return _ogg(RATE_HZ, header, comments, bytes(50))


_NO_COMMENTS = struct.pack("<I", 4) + b"Test" + struct.pack("<I", 0)


def _ogg(samples: int, *packets: bytes) -> bytes:
    file = BytesIO()
    for number, packet in enumerate(packets):
        page = OggPage()
        page.serial, page.sequence, page.packets = 7, number, [packet]
        page.first, page.last = number == 0, number == len(packets) - 1
        page.position = samples if page.last else 0
        file.write(page.write())
    return file.getvalue()


HEADERS = {
    ".dsf": dsf,
    ".dff": dsdiff,
    ".ape": monkeys_audio,
    ".mpc": musepack,
    ".tak": tak,
    ".ofr": optimfrog,
    ".spx": speex,
    ".oga": ogg_flac,
}
"""The function that makes a file, by suffix."""
