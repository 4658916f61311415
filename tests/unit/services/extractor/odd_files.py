"""Files whose headers do not say what they hold: made by bytes, each of a known length."""

import io
import struct
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
from mutagen.id3 import ID3, TIT2
from mutagen.ogg import OggPage

RATE_HZ = 44_100
_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
FRAME_S = 1_152 / RATE_HZ


def mpeg_frame(kbps: int, *, mono: bool = False) -> bytes:
    """A silent frame of MPEG-1 layer III."""
    head = bytes((0xFF, 0xFB, _KBPS.index(kbps) << 4, 0xC4 if mono else 0x44))
    return head.ljust(144 * kbps * 1_000 // RATE_HZ, b"\0")


def xing(frames: int, size_bytes: int) -> bytes:
    """A frame whose Xing header tells the frames, and the bytes with itself."""
    frame = bytearray(mpeg_frame(128))
    frame[36:52] = b"Xing" + struct.pack(">III", 3, frames, size_bytes)
    return bytes(frame)


def vbri(frames: int, size_bytes: int) -> bytes:
    """The same by Fraunhofer's header."""
    frame = bytearray(mpeg_frame(128))
    frame[36:62] = b"VBRI" + struct.pack(
        ">HHHIIHHHH", 1, 0, 75, size_bytes, frames, 1, 1, 2, frames
    )
    return bytes(frame)


def varying(frames: int) -> bytes:
    """Frames of a variable bit rate, which begins low."""
    rates = [32] * (frames // 2) + [128, 64, 320, 192] * frames
    return b"".join(map(mpeg_frame, rates[:frames]))


def id3(title: str = "Jóga", *, padding: int = 0) -> bytes:
    """An ID3v2.4 tag."""
    file = io.BytesIO()
    tags = ID3()
    tags.add(TIT2(encoding=3, text=title))
    tags.save(file, padding=lambda _: padding)
    return file.getvalue()


def id3v1(title: str = "Last") -> bytes:
    """An ID3v1 tag."""
    return b"TAG" + title.encode().ljust(30, b"\0") + bytes(94) + b"\xff"


def chunk(name: bytes, content: bytes, order: str = "<") -> bytes:
    """A chunk of RIFF ("<") or IFF (">")."""
    return name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) % 2)


def wave_format(
    tag: int = 1, *, channels: int = 2, rate_hz: int = RATE_HZ, bits: int = 16,
    byte_rate: int | None = None, block: int | None = None, extra: bytes = b"",
) -> bytes:  # fmt: skip
    """The content of a chunk `fmt `."""
    block = channels * bits // 8 if block is None else block
    stated = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, byte_rate or rate_hz * block, block, bits
    )
    return stated + (struct.pack("<H", len(extra)) + extra if extra else b"")


def wave(
    sound: bytes, fmt: bytes | None = None, *, size: int | None = None, before: bytes = b"",
    behind: bytes = b"", form: bytes = b"RIFF",
) -> bytes:  # fmt: skip
    """A WAV whose sizes may be other than its content's."""
    stated = len(sound) if size is None else size
    body = b"WAVE" + before + chunk(b"fmt ", fmt or wave_format())
    body += b"data" + struct.pack("<I", stated) + sound
    length = len(body) if size is None else size
    return form + struct.pack("<I", length) + body + behind


def ds64(sound_bytes: int) -> bytes:
    """RF64's chunk of wide sizes."""
    return chunk(b"ds64", struct.pack("<QQQI", sound_bytes + 100, sound_bytes, 0, 0))


def aiff(
    sound: bytes, *, frames: int, kind: bytes | None = None, bits: int = 16,
    size: int | None = None, behind: bytes = b"", channels: int = 1,
) -> bytes:  # fmt: skip
    """An AIFF, or an AIFF-C with a compression type."""
    rate = struct.pack(">HQ", 0x3FFF + 15, RATE_HZ << 48)
    common = struct.pack(">hIh", channels, frames, bits) + rate
    common += kind + b"\0\0" if kind else b""
    body = (b"AIFC" if kind else b"AIFF") + chunk(b"COMM", common, ">")
    stated = 8 + len(sound) if size is None else size
    body += b"SSND" + struct.pack(">I", stated) + bytes(8) + sound
    return b"FORM" + struct.pack(">I", len(body)) + body + behind


def with_serial(content: bytes, serial: int) -> bytes:
    """An Ogg stream under another serial number."""
    file, out = io.BytesIO(content), b""
    while file.tell() < len(content):
        page = OggPage(file)
        page.serial = serial
        out += page.write()
    return out


def flac_of_unknown_length(content: bytes) -> bytes:
    """The same FLAC without a number of samples, as encoders write it into a pipe."""
    changed = bytearray(content)
    changed[21] &= 0xF0
    changed[22:26] = bytes(4)
    return bytes(changed)


def flac_picture(stated: int, image: bytes) -> bytes:
    """A picture block's content that tells a length of the image."""
    head = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">I", 0) + bytes(16)
    return head + struct.pack(">I", stated) + image


def with_flac_block(content: bytes, kind: int, size: int, block: bytes) -> bytes:
    """A FLAC with a block behind the first one that tells this size."""
    first = bytes((content[4] & 0x7F,)) + content[5:42]
    return b"fLaC" + first + struct.pack(">I", kind << 24 | size) + block + content[42:]


def atom(name: bytes, content: bytes) -> bytes:
    """An MP4 atom."""
    return struct.pack(">I4s", len(content) + 8, name) + content


def item(name: bytes, kind: int, value: bytes) -> bytes:
    """An item of MP4's tag list."""
    return atom(name, atom(b"data", struct.pack(">II", kind, 0) + value))


def with_movie_data(content: bytes, user_data: bytes) -> bytes:
    """An MP4 whose `udta` is this; its `moov` must be the last atom."""
    start = content.rindex(b"moov") - 4
    moov = content[start + 8 :]
    found = moov.find(b"udta")
    if found >= 0:
        moov = (
            moov[: found - 4] + moov[found - 4 + int.from_bytes(moov[found - 4 : found], "big") :]
        )
    return content[:start] + atom(b"moov", moov + atom(b"udta", user_data))


def wavpack_block(
    flags: int, *, total: int = RATE_HZ, samples: int = RATE_HZ, index: int = 0, parts: bytes = b""
) -> bytes:
    """A WavPack block without sound."""
    stated = struct.pack("<HBBIIIII", 0x410, 0, 0, total, index, samples, flags, 0)
    return b"wvpk" + struct.pack("<I", len(stated) + len(parts)) + stated + parts


def adts(frames: Sequence[bytes], *, rate: int = 7, channels: int = 2) -> bytes:
    """ADTS frames of AAC LC of these contents; rate 7 is 22,050 Hz."""
    out = b""
    for content in frames:
        size = len(content) + 7
        head = 0xFFF1 << 40 | 1 << 38 | rate << 34 | channels << 30 | size << 13 | 0x7FF << 2
        out += head.to_bytes(7, "big") + content
    return out


def ends_in_fill(extension: int, size: int) -> bytes:
    """A frame's content that ends in a fill element of this kind, and in the end's mark."""
    bits = "1010" * 40 + "110"
    bits += f"{size:04b}" if size < 15 else f"1111{size - 14:08b}"
    bits += f"{extension:04b}" + "0110" * (2 * size - 1) + "111"
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def tagged(content: bytes, **tags: str) -> bytes:
    """A file with comments by mutagen."""
    file = io.BytesIO(content)
    opened = mutagen.File(file)
    for name, value in tags.items():
        opened[name] = value
    file.seek(0)
    opened.save(file)
    return file.getvalue()


def by_av(
    codec: str, kind: str, *, layout: str = "stereo", rate_hz: int = RATE_HZ, seconds: float = 2.0,
    options: dict[str, str] | None = None, metadata: dict[str, str] | None = None,
    is_pipe: bool = False,
) -> bytes:  # fmt: skip
    """A tone in a container of FFmpeg's; a pipe cannot go back to fill the header in."""
    file = _Pipe() if is_pipe else io.BytesIO()
    how: dict[str, Any] = {"layout": layout, "rate_hz": rate_hz, "seconds": seconds,
                           "options": options, "metadata": metadata}  # fmt: skip
    if options and "+faststart" in options.values():  # it is read again by its name
        with tempfile.NamedTemporaryFile() as named:
            _encode(named.name, codec, kind, **how)
            return Path(named.name).read_bytes()
    _encode(file, codec, kind, **how)
    return file.getvalue()


def _encode(
    target: Any, codec: str, kind: str, *, layout: str, rate_hz: int, seconds: float,
    options: dict[str, str] | None, metadata: dict[str, str] | None,
) -> None:  # fmt: skip
    with av.open(target, "w", format=kind, options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.format = (stream.codec.audio_formats or [])[0]
        tone = 9_000 * np.sin(2 * np.pi * 440 * np.arange(round(rate_hz * seconds)) / rate_hz)
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate_hz, 0
        frame.time_base = stream.time_base = Fraction(1, rate_hz)
        resampler = av.AudioResampler(stream.format, layout, rate_hz, stream.frame_size or 4_096)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            # FLAC's last packet is empty but for a new header, and has no time.
            packets = [
                one
                for one in stream.encode(part)
                if one.dts is not None or (one.size == 0 and kind == "flac")
            ]
            container.mux(packets)


def decoded_s(content: bytes) -> float:
    """The length that FFmpeg decodes of a file."""
    samples, rate_hz = 0, 0
    with av.open(io.BytesIO(content), "r") as container, suppress(av.error.FFmpegError):
        for frame in container.decode(audio=0):
            samples, rate_hz = samples + frame.samples, frame.sample_rate
    return samples / rate_hz


class _Pipe:
    """What FFmpeg writes to, and cannot seek in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    def getvalue(self) -> bytes:
        return b"".join(self._parts)
