"""The fast parsers return exactly what mutagen returns, or leave the file to mutagen."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import mutagen
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen import id3

from bench.generated_library import generate
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.metadata import Metadata
from services.extractor.read.mutagen_files import read_with_mutagen
from services.extractor.read.tag_reader import read_fast, read_metadata
from tests.unit.services.extractor.tagged_corpus import SUFFIXES, damaged, tagged

_SLOW_S = 5.0


class _Memory:
    """A file in memory with a descriptor, and the tones to fill it with."""

    def __init__(self, tones: dict[str, bytes]) -> None:
        self.tones = tones
        self.file = os.fdopen(os.memfd_create("corpus"), "w+b")

    def fill(self, content: bytes) -> Any:
        self.file.seek(0)
        self.file.truncate(0)
        self.file.write(content)
        self.file.flush()
        self.file.seek(0)
        return self.file


@pytest.fixture
def memory(tones: dict[str, bytes]) -> Iterator[_Memory]:
    made = _Memory(tones)
    yield made
    made.file.close()


def _bytes_of(file: BinaryIO) -> FileBytes:
    return FileBytes(file.fileno(), os.fstat(file.fileno()).st_size)


def _fast(file: BinaryIO, suffix: str) -> Metadata | None:
    return read_fast(_bytes_of(file), suffix)


def _plain(metadata: Metadata) -> tuple[object, ...]:
    """All that was read, and the order of the tags."""
    pictures = [(int(one.kind), bytes(one.content)) for one in metadata.pictures]
    raw = list(metadata.raw.items())
    if metadata.audio.container == "mp4":  # mutagen drops texts that are no UTF-8, we do not
        raw = [(name, values) for name, values in raw if "\ufffd" not in "".join(values)]
    return raw, metadata.audio, pictures


def _differs(memory: _Memory, content: bytes, suffix: str) -> str | None:
    """The difference to mutagen; None if there is none; '' if the file is left to mutagen."""
    fast = _fast(memory.fill(content), suffix)
    if fast is None:
        return ""
    try:
        expected: object = _plain(read_with_mutagen(BytesIO(content), suffix))
    except Exception as error:
        expected = error
    return None if expected == _plain(fast) else f"{_plain(fast)!r:.2000}\n{expected!r:.2000}"


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


@pytest.mark.parametrize("name", SUFFIXES)
def test_tags_of_all_kinds_are_read_as_mutagen_reads_them(name: str, memory: _Memory) -> None:
    read = Counter[bool]()
    for seed in range(120):
        content = tagged(random.Random(seed), name, memory.tones[name])
        differs = _differs(memory, content, _suffix(name))
        assert not differs, (seed, differs)
        read[differs is None] += 1
    assert read[True] > (25 if name == ".mp3" else 100), "most files are read by the fast parser"


_TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=3)
_FRAMES = ("TIT2", "TPE1", "TCON", "TDRC", "TRCK", "TALB", "TXXX", "COMM", "TMCL")
_MADE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_MADE
@given(
    tags=st.dictionaries(st.sampled_from(_FRAMES), _TEXTS),
    encoding=st.integers(0, 3),
    versions=st.sampled_from(((3, 0), (3, 2), (4, 0), (4, 2))),
)
def test_any_text_in_id3_is_read_as_mutagen_reads_it(
    tags: dict[str, list[str]], encoding: int, versions: tuple[int, int], memory: _Memory
) -> None:
    version, v1 = versions
    written = id3.ID3()
    for name, texts in tags.items():
        fits = [text.encode("latin-1", "ignore").decode("latin-1") if encoding == 0 else text
                for text in texts]  # fmt: skip
        content = {"people": [[text, text] for text in fits]} if name == "TMCL" else {"text": fits}
        written.add(getattr(id3, name)(encoding=encoding, **content))
    if version == 3:
        written.update_to_v23()
    file = BytesIO(memory.tones[".mp3"])
    written.save(file, v2_version=version, v1=v1)
    assert not _differs(memory, file.getvalue(), ".mp3")


@_MADE
@given(
    suffix=st.sampled_from((".flac", ".ogg", ".opus", ".m4a")),
    tags=st.dictionaries(st.sampled_from(("title", "artist", "date", "genre")), _TEXTS),
)
def test_any_text_in_other_tags_is_read_as_mutagen_reads_it(
    suffix: str, tags: dict[str, list[str]], memory: _Memory
) -> None:
    atoms = {"title": "\xa9nam", "artist": "\xa9ART", "date": "\xa9day", "genre": "\xa9gen"}
    file = BytesIO(memory.tones[suffix])
    opened: Any = mutagen.File(file)
    if opened.tags is None:
        opened.add_tags()
    for name, texts in tags.items():
        opened.tags[atoms[name] if suffix == ".m4a" else name] = texts
    file.seek(0)
    opened.save(file)
    assert _differs(memory, file.getvalue(), suffix) is None


def test_damaged_files_are_read_as_mutagen_reads_them_or_left_to_mutagen(
    memory: _Memory, thorough: bool
) -> None:
    read = Counter[bool]()
    for seed in range(24_000 if thorough else 1_500):
        chance = random.Random(seed)
        name = SUFFIXES[seed % len(SUFFIXES)]
        content = damaged(chance, tagged(random.Random(seed // 60), name, memory.tones[name]))
        began_s = time.process_time()
        differs = _differs(memory, content, _suffix(name))
        assert not differs, (seed, name, differs)
        assert time.process_time() - began_s < _SLOW_S, f"{seed} hangs"
        read[differs is None] += 1
    assert read[True] > read[False] / 10, "harmless damage is read"


def test_a_generated_library_is_read_without_mutagen(tmp_path: Path) -> None:
    left = []
    for path in generate(tmp_path, 200, seed=5):
        with path.open("rb") as file:
            fast = _fast(file, path.suffix)
            if fast is None:
                left.append(path)
                continue
            file.seek(0)
            assert _plain(fast) == _plain(read_with_mutagen(file, path.suffix)), path
    assert left == []


def test_real_music_is_read_without_mutagen(wesnoth_music: Path) -> None:
    for path in sorted(wesnoth_music.rglob("*.ogg")):
        with path.open("rb") as file:
            fast = _fast(file, path.suffix)
            assert fast is not None, path
            assert _plain(fast) == _plain(read_with_mutagen(file, path.suffix)), path


def test_invalid_files_raise_what_mutagen_raises(memory: _Memory) -> None:
    for suffix in (".mp3", ".flac", ".ogg", ".opus", ".m4a"):
        content = b"no music at all " * 100
        with pytest.raises(Exception) as expected:
            read_with_mutagen(BytesIO(content), suffix)
        file = _bytes_of(memory.fill(content))
        with pytest.raises(type(expected.value)) as raised:
            read_metadata(file, f"a{suffix}", suffix)
        assert type(raised.value) is type(expected.value)


def test_a_suffix_without_a_fast_parser_is_left_to_mutagen(memory: _Memory) -> None:
    assert _fast(memory.fill(b"RIFF"), ".wav") is None
