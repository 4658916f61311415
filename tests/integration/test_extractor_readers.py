"""Reading in worker processes: a file that exhausts the memory of its process fails alone."""

import os
import signal
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.extractor.read.content_hash import content_hash
from services.extractor.read.file_reader import read_file
from services.extractor.read.jobs import LongFile, prepare_reader
from services.extractor.read.readers import Readers, whole_hash
from shared.contracts.errors import RetryLater
from shared.runtime.workers import WorkerProcesses
from tests.integration.worker_jobs import read_chunk_or_hang, read_unless_stalled

BOMB_MB = 1_200


def killed_when_large() -> None:
    """Stands for the system's out-of-memory killer: kills this process once it grows by 300 MB."""
    allowed_pages = _resident_pages() + 300 * 2**20 // os.sysconf("SC_PAGE_SIZE")

    def watch() -> None:
        while _resident_pages() < allowed_pages:
            time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _resident_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))


async def test_a_file_that_hangs_is_given_up_and_the_rest_of_its_chunk_is_read(
    tmp_path: Path,
) -> None:
    names = ["a.flac", "hang 1.flac", "hang 2.flac", "z.flac"]
    for name in names:
        soundfile.write(tmp_path / name, np.zeros(44_100), 44_100)
    workers = WorkerProcesses(1, warm=prepare_reader)
    async with workers.running():
        chunk = await Readers(workers, read=read_chunk_or_hang).files(str(tmp_path), names)
    given_up = "takes more than 0.3 s of CPU time to read, and was given up"
    assert [str(file.error or "") for file in chunk.files] == ["", given_up, given_up, ""]
    assert workers.restarts == 0


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """An ID3 tag of a few MB that decompresses to 1.2 GB."""
    packer = zlib.compressobj(1)
    text = b"".join(packer.compress(bytes(2**20)) for _ in range(BOMB_MB)) + packer.flush()
    flags = b"\x00\x09"  # compressed, with its length
    frame = b"TIT2" + _synchsafe(len(text) + 4) + flags + _synchsafe(2**28 - 1) + text
    return b"ID3\x04\x00\x00" + _synchsafe(len(frame)) + frame


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (prepare_reader, "has tags that need more memory than a reader may use"),
        (killed_when_large, "the worker process crashed on this input"),
    ],
)
async def test_a_file_that_exhausts_its_readers_memory_fails_alone(
    tmp_path: Path, bomb: bytes, prepare: Callable[[], None], message: str
) -> None:
    soundfile.write(tmp_path / "a.mp3", np.zeros(44_100), 44_100, format="MP3")
    (tmp_path / "b.mp3").write_bytes(bomb + (tmp_path / "a.mp3").read_bytes())
    soundfile.write(tmp_path / "c.flac", np.zeros(44_100), 44_100)
    workers = WorkerProcesses(1, warm=prepare)
    async with workers.running():
        chunk = await Readers(workers).files(str(tmp_path), ["a.mp3", "b.mp3", "c.flac"])
    assert [str(file.error or "") for file in chunk.files] == ["", message, ""]
    assert [file.path for file in chunk.files] == ["a.mp3", "b.mp3", "c.flac"]


async def test_a_long_file_is_hashed_by_several_jobs(tmp_path: Path) -> None:
    names = ["a.wav", "b.wav", "c.wav", "short.wav"]
    sound = np.zeros(20_000_000, np.int16)  # five segments
    for name in names:
        sound[12_345_678] = 1 if name == "b.wav" else 0
        whole = sound[:1_000] if name == "short.wav" else sound
        soundfile.write(tmp_path / name, whole, 44_100, subtype="PCM_16")
    workers = WorkerProcesses(2, warm=prepare_reader)
    async with workers.running():
        chunk = await Readers(workers).files(str(tmp_path), names)
    hashes = [file.track_fields["content_hash"] for file in chunk.files if file.track_fields]
    expected = []
    for name in names:
        with (tmp_path / name).open("rb") as file:
            expected.append(content_hash(file.fileno(), (tmp_path / name).stat().st_size))
    assert hashes == expected
    assert hashes[0] == hashes[2] != hashes[1]


async def test_a_long_file_that_changes_meanwhile_has_no_hash_and_is_no_failure(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(2**20, np.int16), 44_100, subtype="PCM_16")
    contents = read_file(os.fsencode(path))
    assert contents.content_hash is None
    assert contents.long_sound is not None
    file = LongFile(os.fsencode(path), contents.size_bytes, contents.mtime_ns, contents.long_sound)
    workers = WorkerProcesses(1, warm=prepare_reader)
    async with workers.running():
        whole = await whole_hash(workers, file)
        changed = await whole_hash(workers, file._replace(mtime_ns=file.mtime_ns - 1))
    assert whole is not None
    assert changed is None


async def test_files_that_take_too_long_are_read_again_later(tmp_path: Path) -> None:
    names = [
        "1.flac",
        "stalled 1.flac",
        "2.flac",
        *(f"stalled {n}.flac" for n in range(2, 6)),
        "3.flac",
    ]
    for name in names:
        soundfile.write(tmp_path / name, np.zeros(4_410), 44_100)
    workers = WorkerProcesses(1, warm=prepare_reader)  # imports before the time counts
    async with workers.running():
        readers = Readers(workers, read=read_unless_stalled, chunk_timeout_s=3, file_timeout_s=2)
        chunk = await readers.files(str(tmp_path), names)
    assert [file.path for file in chunk.files] == names
    errors = {file.path: file.error for file in chunk.files if file.error is not None}
    assert all(isinstance(error, RetryLater) for error in errors.values())
    assert "took too long" in str(errors["stalled 1.flac"])
    # Three in a row: the others are not waited for, one by one.
    assert "its disk does not answer" in str(errors["stalled 5.flac"])
    assert "its disk does not answer" in str(errors["3.flac"])
    assert not errors.keys() & {"1.flac", "2.flac"}


async def test_long_files_whose_disk_does_not_answer_are_read_again_later(tmp_path: Path) -> None:
    names = [f"{n}.wav" for n in range(1, 6)]
    for name in names:
        soundfile.write(tmp_path / name, np.zeros(2**23, np.int16), 44_100, subtype="PCM_16")
    soundfile.write(tmp_path / "6.flac", np.zeros(4_410), 44_100)
    workers = WorkerProcesses(1)
    async with workers.running():
        # No disk is that fast: each stands for one that does not answer.
        readers = Readers(workers, file_timeout_s=0)
        chunk = await readers.files(str(tmp_path), [*names, "6.flac"])
    errors = [file.error for file in chunk.files]
    assert all(isinstance(error, RetryLater) for error in errors[:5])
    assert ["took too long" in str(error) for error in errors[:5]] == [True] * 3 + [False] * 2
    assert errors[5] is None
