"""Small music files of each format, made once: a tone of one second."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest

from tests.audio_files import tones_by_suffix

_JPEG = b"\xff\xd8\xff\xe0" + b"front" * 20
MakeFile = Callable[..., Path]


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An untagged file of each format, by suffix."""
    return tones_by_suffix(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def make_file(tones: dict[str, bytes], tmp_path: Path) -> MakeFile:
    """Write an untagged file of a format: `make_file("a/b.flac")`."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tones["".join(path.suffixes[-2:])])
        return path

    return make


@pytest.fixture
def jpeg() -> bytes:
    """Bytes that begin like a JPEG image."""
    return _JPEG


@pytest.fixture
def open_tags() -> Callable[[Path], Any]:
    """A file opened by mutagen, with tags to write to."""

    def opened(path: Path) -> Any:
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        return file

    return opened
