"""Damaged and unusual files, made from good ones of every container and coding.

The same seed gives the same files. They are made when a test runs, and none of them is kept.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from soniquebay.demo.encoding import encode
from tests.audio_files import HEADERS
from tests.encoded_audio import CODINGS, RATE_HZ, encode_as

_LENGTHS_S = (1.5, 3.0)
_SURROUND = ("flac", "opus", "ogg", "wav")
"""Formats that also get a file of eight channels."""
_ENDINGS = tuple(sorted({coding.suffix for coding in CODINGS.values()}))
Good = dict[str, list[Path]]
"""Sound files by coding, and by ending the files that have a header and no sound."""
Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file, how it was made, and whether its analysis must `succeed`, `fail`, or `either`."""

    path: Path
    kind: str
    must: str = "either"


def mutants(folder: Path, count: int, seed: int = 1) -> Iterator[Mutant]:
    """Yield `count` files, the kinds in turn. Each is made when needed, and may be removed."""
    good = _good(folder / "good")
    bad = folder / "bad"
    bad.mkdir()
    kinds = list(_KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        must, make = _KINDS[kind]
        chance = random.Random(f"{seed} {number}")
        yield Mutant(make(bad / f"{number:05d}", good, chance), kind, must)


def _good(folder: Path) -> Good:
    folder.mkdir()
    made: Good = {}
    for number, (name, coding) in enumerate(CODINGS.items()):
        made[name] = []
        for length_s in _LENGTHS_S:
            path = folder / f"{number}-{length_s:g}.{coding.suffix}"
            encode_as(coding, path, _music(length_s, coding.rate_hz, 2).astype(np.float32))
            made[name].append(path)
    made["surround"] = [folder / f"surround.{ending}" for ending in _SURROUND]
    for path in made["surround"]:
        encode(path, _music(min(_LENGTHS_S), RATE_HZ, 8), RATE_HZ)
    for ending, make in HEADERS.items():
        path = folder / f"header{ending}"
        path.write_bytes(make())
        made[ending] = [path]
    return made


def _music(length_s: float, rate_hz: int, channels: int) -> Sound:
    """A chord with a beat, each channel a little different."""
    t = np.arange(round(length_s * rate_hz)) / rate_hz
    beat = np.exp(-(t % 0.5) / 0.06) + 0.1
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 277.18, 329.63))
    return np.stack([0.2 * np.asarray(chord) * beat / (1 + c / 8) for c in range(channels)], axis=1)


def _any(good: Good, chance: random.Random) -> Path:
    return chance.choice(good[chance.choice(sorted(good))])


def _changed(
    change: Callable[[bytearray, random.Random], bytes | bytearray],
) -> Callable[[Path, Good, random.Random], Path]:
    """A good file whose bytes are changed."""

    def make(base: Path, good: Good, chance: random.Random) -> Path:
        source = _any(good, chance)
        path = base.with_suffix(source.suffix)
        path.write_bytes(change(bytearray(source.read_bytes()), chance))
        return path

    return make


def _written(
    rate_hz: int, channels: int, length_s: float, ending: str = "flac"
) -> Callable[[Path, Good, random.Random], Path]:
    """A valid file with unusual properties."""

    def make(base: Path, _: Good, chance: random.Random) -> Path:
        path = base.with_suffix(f".{ending}")
        level = chance.uniform(0.3, 1.0)
        soundfile.write(path, level * _music(length_s, rate_hz, channels), rate_hz)
        return path

    return make


def _truncated(content: bytearray, chance: random.Random) -> bytearray:
    return content[: int(len(content) * chance.random())]


def _beheaded(content: bytearray, chance: random.Random) -> bytearray:
    return content[int(len(content) * chance.random()) :]


def _few_bits(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 30)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def _many_bits(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(len(content) // chance.choice([50, 200, 1_000])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def _head_bits(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 6)):
        content[chance.randrange(min(len(content), 120))] = chance.choice([0, 0x7F, 0x80, 0xFF])
    return content


def _hole(content: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(content))
    length = chance.randrange(len(content) - start)
    content[start : start + length] = bytes(length) if chance.random() < 0.5 else b""
    return content


def _spliced(content: bytearray, chance: random.Random) -> bytearray:
    """A piece of the file is repeated."""
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randrange(1, len(content))]
    content[start:start] = piece
    return content


def _magic_only(content: bytearray, chance: random.Random) -> bytes:
    return bytes(content[: chance.choice([4, 12, 64, 200])]) + chance.randbytes(20_000)


def _huge_header(base: Path, good: Good, chance: random.Random) -> Path:
    """A tag, chunk, block or atom that claims a size of up to 4 GB."""
    ending = chance.choice(["mp3", "wav", "flac", "m4a", "dsf", "dff"])
    codings = [name for name, coding in CODINGS.items() if coding.suffix == ending]
    content = bytearray(chance.choice(good[chance.choice(codings)]).read_bytes())
    path = base.with_suffix(f".{ending}")
    if ending == "mp3":
        content[:0] = b"ID3\x04\x00\x00" + chance.choice([b"\x7f\x7f\x7f\x7f", b"\x01\x00\x00\x00"])
    elif ending == "wav":
        at = chance.choice([4, 16, 40])
        content[at : at + 4] = chance.choice([b"\xfe\xff\xff\xff", b"\xff\xff\xff\x7f"])
    elif ending == "dsf":  # the number of samples, and of bytes of sound
        at = chance.choice([64, 84])
        content[at : at + 8] = chance.choice([b"\xff\xff\xff\xff\xff\xff\xff\x7f", bytes(8)])
    elif ending == "dff":
        at = content.index(b"DSD ", 20) + 4
        content[at : at + 8] = chance.choice([b"\x7f\xff\xff\xff\xff\xff\xff\xff", bytes(8)])
    elif ending == "flac":
        content[4:4] = b"\x02\xff\xff\xff" + chance.randbytes(100)  # an application block, 16 MB
    else:
        content[0:0] = b"\x00\x00\x00\x01free\x00\x00\x00\xff\xff\xff\xff\xff" + bytes(50)
    path.write_bytes(content)
    return path


def _giant_tag(base: Path, good: Good, chance: random.Random) -> Path:
    """An ID3 tag of 10 MB before the music."""
    size = 10_000_000
    synchsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path = base.with_suffix(".mp3")
    music = chance.choice(good["MP3"]).read_bytes()
    path.write_bytes(b"ID3\x04\x00\x00" + synchsafe + bytes(size) + music)
    return path


def _wrong_ending(base: Path, good: Good, chance: random.Random) -> Path:
    source = chance.choice(good[chance.choice(list(CODINGS))])
    ending = chance.choice([ending for ending in _ENDINGS if f".{ending}" != source.suffix])
    path = base.with_suffix(f".{ending}")
    shutil.copy(source, path)
    return path


def _empty(base: Path, _: Good, chance: random.Random) -> Path:
    path = base.with_suffix(f".{chance.choice(_ENDINGS)}")
    path.touch()
    return path


def _noise(base: Path, _: Good, chance: random.Random) -> Path:
    path = base.with_suffix(f".{chance.choice(_ENDINGS)}")
    path.write_bytes(chance.randbytes(chance.randrange(1, 60_000)))
    return path


def _joined(base: Path, good: Good, chance: random.Random) -> Path:
    """A file behind another one of any kind, the first one perhaps cut."""
    first, second = _any(good, chance), _any(good, chance)
    path = base.with_suffix(first.suffix)
    content = first.read_bytes()
    cut = len(content) if chance.random() < 0.5 else chance.randrange(1, len(content))
    path.write_bytes(content[:cut] + second.read_bytes())
    return path


def _no_numbers(base: Path, _: Good, chance: random.Random) -> Path:
    """Invalid samples: NaN, infinity, absurd levels."""
    sound = _music(2.0, RATE_HZ, 2)
    for value in (np.nan, np.inf, -np.inf, 1e30):
        sound[np.random.default_rng(chance.randrange(2**31)).integers(len(sound), size=200)] = value
    path = base.with_suffix(".wav")
    soundfile.write(path, sound, RATE_HZ, subtype="DOUBLE")
    return path


_KINDS: dict[str, tuple[str, Callable[[Path, Good, random.Random], Path]]] = {
    "truncated": ("either", _changed(_truncated)),
    "beheaded": ("either", _changed(_beheaded)),
    "few bits": ("either", _changed(_few_bits)),
    "many bits": ("either", _changed(_many_bits)),
    "bits in the header": ("either", _changed(_head_bits)),
    "a hole": ("either", _changed(_hole)),
    "a part twice": ("either", _changed(_spliced)),
    "two joined": ("either", _joined),
    "magic only": ("either", _changed(_magic_only)),
    "huge header": ("either", _huge_header),
    "giant tag": ("succeed", _giant_tag),
    "wrong ending": ("succeed", _wrong_ending),
    "empty": ("fail", _empty),
    "noise": ("either", _noise),
    "no numbers": ("succeed", _no_numbers),
    "8 channels": ("succeed", _written(48_000, 8, 2.0)),
    "192 kHz": ("succeed", _written(192_000, 2, 2.0)),
    "8 kHz": ("succeed", _written(8_000, 1, 3.0, "wav")),
    "half a second": ("fail", _written(44_100, 2, 0.5, "ogg")),
}
