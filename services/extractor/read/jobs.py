"""What the worker processes do: read files, read folders' images. Results are plain values."""

import gc
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.extractor.covers.images import FolderImages, Image, folder_images
from services.extractor.read.file_reader import read_file
from services.extractor.tags.model import Contributor, CreditedName, Release, light
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.track_fields import Told, tag_fields
from shared.contracts.errors import PipelineError
from shared.contracts.identity import local_path

MOST_MEMORY_BYTES = 2**30
_OBJECTS_UNTIL_COLLECTION = 20_000
_MOST_IMAGE_BYTES = 64 * 2**20
"""A chunk carries images up to this size; further ones are asked for one by one."""


@light
@dataclass(slots=True)
class FileRead:
    """One file's result: `tags`, or what was wrong.

    Attributes:
        path: below the library's root.
        size_bytes: as it was when it was read.
        mtime_ns: likewise.
        told: what its tags say.
        artists, contributors, release: whom it credits, and what it says of its album.
        cover_sha256: the embedded cover's, whose bytes are with the chunk.
        error: why it could not be read.
        cover_problem: why an embedded image is not the cover.
    """

    path: str
    size_bytes: int = 0
    mtime_ns: int = 0
    told: Told | None = None
    cover_sha256: str | None = None
    error: PipelineError | None = None
    cover_problem: str | None = None
    artists: tuple[CreditedName, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    release: Release = field(default_factory=Release)


@dataclass(slots=True)
class ChunkRead:
    """A chunk of files, in order, and their covers, each once; what images lie around them."""

    files: list[FileRead] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    folders: dict[str, FolderImages] = field(default_factory=dict)


def prepare_reader() -> None:
    """Bound the memory of a worker process: a tag block of whatever size fails its file only."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    # What is loaded stays, and a chunk's records are no garbage in circles.
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)


def read_chunk(root: str, paths: Sequence[str], rules: Rules = DEFAULT_RULES) -> ChunkRead:
    """Read files, whose credits and genres `rules` split; what is wrong with one is its result."""
    rules = _known(rules)
    chunk = ChunkRead()
    carried = 0
    for path in paths:
        try:
            read = read_file(local_path(root, path), rules)
        except PipelineError as error:
            chunk.files.append(FileRead(path, error=error))
            continue
        cover = read.cover
        if cover is not None and cover.sha256 not in chunk.images:
            carried += len(cover.content)
            if carried <= _MOST_IMAGE_BYTES:
                chunk.images[cover.sha256] = cover
        chunk.files.append(
            FileRead(
                path=path,
                size_bytes=read.size_bytes,
                mtime_ns=read.mtime_ns,
                told=tag_fields(read.tags, path, read.content_hash),
                cover_sha256=cover.sha256 if cover is not None else None,
                cover_problem=read.cover_problem,
                artists=read.tags.artists,
                contributors=read.tags.contributors,
                release=read.tags.release,
            )
        )
    return chunk


_rules = [DEFAULT_RULES]
_MOST_RULES = 8


def _known(rules: Rules) -> Rules:
    """The object that was read with before, if these are the same: what is kept goes by it."""
    for one in _rules:
        if one == rules:
            return one
    _rules[_MOST_RULES - 1 :] = []
    _rules.insert(0, rules)
    return rules


def read_cover(root: str, path: str) -> Image | None:
    """A file's embedded cover alone; None where it can no longer be read."""
    try:
        return read_file(local_path(root, path)).cover
    except PipelineError:
        return None


def read_folders(root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
    """What images lie in folders."""
    return {folder: folder_images(root, folder) for folder in folders}
