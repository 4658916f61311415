"""The jobs of the reader processes: chunks of files, long sounds, covers. Results are plain values.

Each reader process imports this module and all that it imports: the network's libraries and
pydantic stay out, they would cost every reader 10 MB and more.
"""

import gc
import os
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.extractor.covers.images import FolderImages, Image, folder_images
from services.extractor.cue.parts import Part as FilePart
from services.extractor.cue.parts import part_hash
from services.extractor.cue.sidecars import FolderSheets, SheetOfFile, folder_sheets
from services.extractor.read.content_hash import LongSound, hash_segment
from services.extractor.read.cpu_limit import (
    FILE_CPU_LIMIT_S,
    TookTooLong,
    limited_cpu,
    prepare_limit,
)
from services.extractor.read.file_reader import FileContents, UnreadableFile, read_file
from services.extractor.read.sound.parts import Part as SoundPart
from services.extractor.tags.model import NO_RELEASE, Contributor, CreditedName, Release, Tags
from services.extractor.tags.path_guess import guess_from_path
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.track_fields import TrackFields, track_fields
from shared.contracts.errors import PipelineError
from shared.contracts.identity import local_path

_MEMORY_LIMIT_BYTES = 2**30
_OBJECTS_UNTIL_COLLECTION = 20_000
_CHUNK_IMAGES_LIMIT_BYTES = 64 * 2**20
"""A chunk carries images up to this size; the others are read again one by one."""
_RULES_KEPT = 8


class FileRead(NamedTuple):
    """The result of reading one file, or a part of it: its fields, or an error.

    Attributes:
        path: below the library's root.
        size_bytes, mtime_ns: as they were when the file was read.
        track_fields: from its tags; None where there is an error.
        artists, contributors: whom the tags credit.
        release: the album as the tags describe it.
        cover_sha256: of the embedded cover, whose bytes are in the chunk.
        cover_problem: why an embedded image is not the cover.
        error: why the file could not be read.
        part: which part of the file it is; None where it is the whole.
        cue_problem: why a cue sheet of the file was passed over.
        sheets_state: of the cue sheets in its folder, as they were when the file was read.
        long_sound: the file's sound, where its content hash is yet to be made of the whole of it.
    """

    path: str
    size_bytes: int = 0
    mtime_ns: int = 0
    track_fields: TrackFields | None = None
    cover_sha256: str | None = None
    error: PipelineError | None = None
    cover_problem: str | None = None
    artists: tuple[CreditedName, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    release: Release = NO_RELEASE
    part: FilePart | None = None
    cue_problem: str | None = None
    sheets_state: int = 0
    long_sound: LongSound | None = None

    def with_content_hash(self, file_hash: str | None) -> "FileRead":
        """The same with the content hash of its file, once that is made; None: it is not known."""
        whole = _content_hash(file_hash, self.part)
        known = {} if whole is None else {"content_hash": whole}
        return self._replace(track_fields=(self.track_fields or {}) | known, long_sound=None)


class LongFile(NamedTuple):
    """A file whose sound is yet to be hashed as a whole, as it was when that was found.

    Attributes:
        path: on this host.
        size_bytes, mtime_ns: of the file.
        sound: where it lies in the file.
    """

    path: bytes
    size_bytes: int
    mtime_ns: int
    sound: LongSound


@dataclass(slots=True)
class ChunkRead:
    """The result of reading a chunk of files.

    Attributes:
        files: in the order in which they were asked for; one with a cue sheet comes once for each
            of its parts.
        images: the embedded covers, by SHA-256.
        folders: the images in the folders around the files.
    """

    files: list[FileRead] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    folders: dict[str, FolderImages] = field(default_factory=dict)


def prepare_reader() -> None:
    """Prepare a new reader process.

    Its memory is limited, so that a tag block of absurd size fails its own file only. So is the CPU
    time of a file, so that one that hangs fails alone and the rest of its chunk is read.
    """
    prepare_limit()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))
    # The loaded modules stay, and the records of a chunk are freed without the collector: they
    # hold no cycles.
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)


def read_chunk(
    root: str,
    paths: Sequence[str],
    rules: Rules = DEFAULT_RULES,
    *,
    read: Callable[[bytes, Rules, Sequence[SheetOfFile]], FileContents] = read_file,
    cpu_limit_s: float = FILE_CPU_LIMIT_S,
) -> ChunkRead:
    """Read files of a library; an error is the result of its file.

    Args:
        root: of the library, on this host.
        paths: below the root.
        rules: how credits and genres are split.
        read: reads a file, as `read_file`.
        cpu_limit_s: the most CPU time that one file may take.
    """
    rules = _intern(rules)
    chunk = ChunkRead()
    images_bytes = 0
    folders: dict[str, FolderSheets] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        sheets = folders.get(folder) or folders.setdefault(folder, folder_sheets(root, folder))
        try:
            with limited_cpu(cpu_limit_s):
                contents = read(local_path(root, path), rules, sheets.by_name.get(name, ()))
        except TookTooLong:
            reason = f"takes more than {cpu_limit_s:g} s of CPU time to read, and was given up"
            chunk.files.append(FileRead(path, error=UnreadableFile(reason)))
            continue
        except PipelineError as error:
            chunk.files.append(FileRead(path, error=error))
            continue
        cover = contents.cover
        if cover is not None and cover.sha256 not in chunk.images:
            images_bytes += len(cover.content)
            if images_bytes <= _CHUNK_IMAGES_LIMIT_BYTES:
                chunk.images[cover.sha256] = cover
        if contents.parts:
            for part, tags in contents.parts:
                chunk.files.append(_file_read(path, contents, tags, sheets.state, part))
        else:
            tags = contents.tags
            if tags.title_is_file_name:
                tags = guess_from_path(tags, path, rules.credits)
            chunk.files.append(_file_read(path, contents, tags, sheets.state))
    return chunk


def _file_read(
    path: str, contents: FileContents, tags: Tags, sheets_state: int, part: FilePart | None = None
) -> FileRead:
    return FileRead(
        path=path,
        size_bytes=contents.size_bytes,
        mtime_ns=contents.mtime_ns,
        track_fields=track_fields(tags, path, _content_hash(contents.content_hash, part)),
        cover_sha256=contents.cover.sha256 if contents.cover is not None else None,
        cover_problem=contents.cover_problem,
        artists=tags.artists,
        contributors=tags.contributors,
        release=tags.release,
        part=part,
        cue_problem=contents.cue_problem,
        sheets_state=sheets_state,
        long_sound=contents.long_sound,
    )


def _content_hash(file_hash: str | None, part: FilePart | None) -> str | None:
    """The content hash of a file, or of a part of it."""
    return file_hash if part is None else part_hash(file_hash, part.start_s, part.end_s)


def read_segment(file: LongFile, parts: Sequence[SoundPart]) -> bytes | None:
    """The digest of a segment of a file's sound (`content_hash.segments`).

    None where the file cannot be read, or has not the size and modification time that it had.
    """
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            digest = hash_segment(descriptor, parts)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    is_same = (status.st_size, status.st_mtime_ns) == (file.size_bytes, file.mtime_ns)
    return digest if is_same else None


def read_cover(root: str, path: str) -> Image | None:
    """A file's embedded cover; None where it can no longer be read."""
    try:
        return read_file(local_path(root, path)).cover
    except PipelineError:
        return None


def read_folders(root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
    """The images in folders below the root."""
    return {folder: folder_images(root, folder) for folder in folders}


_interned_rules = [DEFAULT_RULES]


def _intern(rules: Rules) -> Rules:
    """One object for equal rules: caches compare by identity first, and rules are long."""
    for known in _interned_rules:
        if known == rules:
            return known
    _interned_rules[_RULES_KEPT - 1 :] = []
    _interned_rules.insert(0, rules)
    return rules
