"""The content hash depends on the sound alone, not on tags, names and pictures."""

import os
import random
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import APIC, ID3, TIT2

from services.extractor.read.content_hash import content_hash
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


def retag(path: Path, size: int) -> None:
    """Write a title and `size` further bytes, in the format's kind of tags."""
    file: Any = mutagen.File(path)
    if path.suffix in {".ac3", ".aac", ".mp2"} or file is None:
        tags = APEv2()
        tags["Title"] = "x" * size
        tags.save(path)
    elif path.suffix in {".wav", ".aiff", ".mp3", ".tta"}:
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
