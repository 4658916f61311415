"""The content hash depends on the sound alone, not on tags, names and pictures."""

import os
import random
import struct
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import APIC, ID3, TIT2

from services.extractor.read.content_hash import (
    SEGMENT_BYTES,
    LongSound,
    content_hash,
    hash_content,
    join_segments,
    segments,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.jobs import LongFile, read_segment
from tests.unit.services.extractor import odd_files as odd
from tests.unit.services.extractor import similar_files as similar
from tests.unit.services.extractor.conftest import MakeFile

SUFFIXES = (
    ".wav", ".aiff", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".wma", ".wv", ".tta", ".mp2",
    ".aac", ".ac3",
)  # fmt: skip


def hash_of(path: Path) -> str | None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return content_hash(descriptor, path.stat().st_size)
    finally:
        os.close(descriptor)


Hash = Callable[[bytes], str | None]


@pytest.fixture
def hash_bytes(tmp_path: Path) -> Hash:
    """The hash of a file with this content."""

    def hashed(content: bytes) -> str | None:
        path = tmp_path / "hashed"
        path.write_bytes(content)
        return hash_of(path)

    return hashed


def retag(path: Path, size: int) -> None:
    """Write a title and `size` further bytes, in the format's kind of tags."""
    file: Any = mutagen.File(path)
    if path.suffix in {".ac3", ".eac3", ".aac", ".mp2"} or file is None:
        tags = APEv2()
        tags["Title"] = "x" * size
        tags.save(path)
    elif path.suffix in {".wav", ".aiff", ".aifc", ".dsf", ".dff", ".mp3", ".tta"}:
        if file.tags is None:
            file.add_tags()
        file.tags.add(TIT2(text=["A title"]))
        file.tags.add(APIC(data=b"x" * size))
        file.save()
    else:
        key = {".m4a": "\xa9nam", ".wma": "Title"}.get(path.suffix, "title")
        if file.tags is None:
            file.add_tags()
        file[key] = ["x" * size]
        file.save()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_retagging_keeps_the_hash(make_file: MakeFile, suffix: str) -> None:
    path = make_file(f"a{suffix}")
    before = hash_of(path)
    assert before is not None
    for size in (10, 30_000, 500):
        retag(path, size)
        assert hash_of(path) == before, size
    kept = path.read_bytes()
    path.write_bytes(kept[: len(kept) * 3 // 4])
    assert hash_of(path) != before, "a truncated sound"


def test_tags_at_both_ends_are_left_out(make_file: MakeFile) -> None:
    path = make_file("a.mp3")
    before = hash_of(path)
    tags = ID3()
    tags.add(TIT2(text=["A title"]))
    tags.save(path, v1=2)
    ape = APEv2()
    ape["Title"] = "A title"
    ape.save(path)
    assert hash_of(path) == before


def test_the_same_sound_in_another_format_has_another_hash(make_file: MakeFile) -> None:
    hashes = [hash_of(make_file(f"a{suffix}")) for suffix in SUFFIXES]
    assert len(set(hashes)) == len(SUFFIXES)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_has_a_hash_or_none_and_raises_nothing(
    make_file: MakeFile, suffix: str
) -> None:
    path = make_file(f"a{suffix}")
    whole, rng = path.read_bytes(), random.Random(suffix)
    for _ in range(100):
        bytes_ = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(rng.randrange(20)):
            if bytes_:
                bytes_[rng.randrange(min(len(bytes_), 4_000))] = rng.randrange(256)
        path.write_bytes(bytes_)
        assert hash_of(path) is None or bytes_


_ALIKE = similar.UNCOMPRESSED | similar.CONSTANT_BIT_RATE


@pytest.mark.parametrize("name", _ALIKE)
@pytest.mark.parametrize("samples", [similar.quiet, similar.noisy])
def test_other_sound_between_three_equal_places_has_another_hash(
    name: str, samples: Callable[..., similar.Samples], hash_bytes: Hash
) -> None:
    door, bell = (_ALIKE[name].write(samples(hz)) for hz in (110, 1_900))
    assert len(door) == len(bell)
    assert hash_bytes(door) != hash_bytes(bell)


@pytest.mark.parametrize("name", similar.LOSSLESS)
@pytest.mark.parametrize("samples", [similar.quiet, similar.noisy])
def test_a_lossless_codec_does_not_make_other_sound_one(
    name: str, samples: Callable[..., similar.Samples], hash_bytes: Hash
) -> None:
    hashes = {hash_bytes(similar.LOSSLESS[name].write(samples(hz))) for hz in (110, 1_900)}
    assert len(hashes) == 2


_RETAGGED = {
    name: form
    for name, form in (_ALIKE | similar.LOSSLESS).items()
    if name != "RF64" and form.suffix not in {".mka", ".webm"}  # mutagen does not write them
}


@pytest.mark.parametrize("name", _RETAGGED)
def test_one_sound_has_one_hash_whatever_its_tags(name: str, tmp_path: Path) -> None:
    suffix, write = _RETAGGED[name]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(write(similar.quiet(300)))
    before = hash_of(path)
    assert before is not None
    for size in (10, 30_000, 500):
        retag(path, size)
        assert hash_of(path) == before, size


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "pcm_s16le"), ("webm", "libopus")])
def test_tags_of_matroska_are_left_out(kind: str, codec: str, hash_bytes: Hash) -> None:
    sound = similar.quiet(300)
    hashes = {
        hash_bytes(similar.encode(sound, kind, codec, title=title))
        for title in ("", "x", "x" * 5_000)
    }
    assert len(hashes) == 1
    assert None not in hashes


_SILENCE = similar.quiet()


@pytest.mark.parametrize(
    "other",
    [
        similar.wave(_SILENCE, rate_hz=96_000),
        similar.wave(_SILENCE.reshape(-1, 1)),
        odd.wave(_SILENCE.tobytes(), odd.wave_format(rate_hz=similar.RATE_HZ, bits=32, block=4)),
        odd.wave(_SILENCE.tobytes(), odd.wave_format(3, rate_hz=similar.RATE_HZ)),
    ],
    ids=["rate", "channels", "bits", "floating point"],
)
def test_the_same_bytes_in_another_encoding_are_another_sound(
    other: bytes, hash_bytes: Hash
) -> None:
    assert hash_bytes(other) != hash_bytes(similar.wave(_SILENCE)) is not None


@pytest.mark.parametrize("write", [similar.dsf, similar.dsdiff])
def test_dsd_of_another_rate_is_another_sound(
    write: Callable[..., bytes], hash_bytes: Hash
) -> None:
    sound = b"\x69" * 40_960
    assert hash_bytes(write(sound)) != hash_bytes(write(sound, rate_hz=5_644_800))


def test_headers_of_other_lengths_do_not_make_another_sound(hash_bytes: Hash) -> None:
    sound = _SILENCE.tobytes()
    plain = odd.wave_format(rate_hz=similar.RATE_HZ)
    guid = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    extensible = odd.wave_format(
        0xFFFE, rate_hz=similar.RATE_HZ, extra=struct.pack("<HIH", 16, 3, 1) + guid
    )
    contents = [
        odd.wave(sound, plain),
        odd.wave(sound, plain + b"\0\0"),
        odd.wave(sound, extensible),
        odd.wave(sound, plain, before=odd.chunk(b"JUNK", bytes(4_000))),
        odd.wave(sound, plain, behind=odd.chunk(b"LIST", b"INFOINAM" + b"\x04\0\0\0Jan\0")),
        odd.wave(sound, plain, size=0),
    ]
    assert len({hash_bytes(content) for content in contents}) == 1


def _blocks(sound: bytes) -> bytes:
    middle, last = (len(sound) - 4_096) // 2, len(sound) - 4_096
    return sound[:4_096] + sound[middle : middle + 4_096] + sound[last:]


@pytest.mark.parametrize("bit_rate", [128_000, 320_000])
def test_compressed_music_keeps_the_hash_of_earlier_versions(
    bit_rate: int, hash_bytes: Hash
) -> None:
    """So its analyses stay: the length and three blocks."""
    content = similar.encode(similar.noisy(1), "mp3", "libmp3lame", bit_rate)
    start = 10 + int.from_bytes(bytes(content[6:10]), "big") if content[:3] == b"ID3" else 0
    sound = content[start:]
    digest = blake2b(struct.pack(">Q", len(sound)) + _blocks(sound), digest_size=16)
    assert hash_bytes(content) == digest.hexdigest()


def test_what_was_sampled_by_earlier_versions_is_never_equal_to_a_whole(
    hash_bytes: Hash,
) -> None:
    sound = bytes(100_000)
    sampled = blake2b(struct.pack(">Q", len(sound)) + _blocks(sound), digest_size=16).hexdigest()
    assert hash_bytes(odd.wave(sound)) not in {None, sampled}


def test_flacs_checksum_decides_without_reading_the_whole(hash_bytes: Hash) -> None:
    content = bytearray(similar.encode(similar.noisy(1), "flac", "flac"))
    begin = content.index(b"fLaC") + 8 + 18
    assert any(content[begin : begin + 16])
    before = hash_bytes(bytes(content))
    content[begin] ^= 1
    other = hash_bytes(bytes(content))
    content[begin : begin + 16] = bytes(16)  # not set: the whole sound decides
    unset = hash_bytes(bytes(content))
    content[len(content) // 3] ^= 1
    assert len({before, other, unset, hash_bytes(bytes(content))}) == 4


def _long_sound(path: Path) -> LongSound:
    with path.open("rb") as file:
        found = hash_content(FileBytes(file.fileno(), path.stat().st_size))
    assert isinstance(found, LongSound)
    return found


def test_a_long_sound_is_hashed_in_segments(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(odd.wave(b"", size=5 * SEGMENT_BYTES // 2))
    os.truncate(path, 44 + 5 * SEGMENT_BYTES // 2)
    sound, status = _long_sound(path), path.stat()
    parts = list(segments(sound))
    assert [sum(end - start for start, end in each) for each in parts] == [
        SEGMENT_BYTES, SEGMENT_BYTES, SEGMENT_BYTES // 2,
    ]  # fmt: skip
    file = LongFile(os.fsencode(path), status.st_size, status.st_mtime_ns, sound)
    digests = [read_segment(file, each) for each in parts]
    assert None not in digests
    whole = join_segments(sound, [digest for digest in digests if digest])
    assert whole == hash_of(path)
    with path.open("r+b") as opened:
        opened.seek(SEGMENT_BYTES + 1_000_000)
        opened.write(b"\1")
    assert hash_of(path) != whole


def test_a_file_that_changes_while_it_is_hashed_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(odd.wave(bytes(2 * 2**20)))
    sound, status = _long_sound(path), path.stat()
    (parts,) = segments(sound)
    file = LongFile(os.fsencode(path), status.st_size, status.st_mtime_ns, sound)
    assert read_segment(file, parts) is not None
    assert read_segment(file._replace(mtime_ns=file.mtime_ns - 1), parts) is None
    os.truncate(path, 2**20)
    assert read_segment(file, parts) is None
    path.unlink()
    assert read_segment(file, parts) is None
