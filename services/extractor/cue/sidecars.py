"""Finds the cue sheets in a folder, and the music files in it that they are of."""

import os
import stat
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

from services.extractor.covers.images import ImageEntry, images_state
from services.extractor.cue.encodings import decode_sheet
from services.extractor.cue.sheet import LARGEST_SHEET_BYTES, CueSheet, parse_sheet
from services.extractor.paths import is_audio
from shared.contracts.identity import encode_path, local_path

CUE_SUFFIX = b".cue"


class SheetOfFile(NamedTuple):
    """A cue sheet, and which of its files a music file is.

    Attributes:
        name: of the sheet's file; `EMBEDDED` where it is in the music file.
        sheet: what it says.
        file: the position among the sheet's files.
    """

    name: str
    sheet: CueSheet
    file: int = 0


@dataclass(frozen=True, slots=True)
class FolderSheets:
    """The cue sheets in a folder.

    Attributes:
        state: a number that changes when they do; 0 where there are none.
        by_name: those of a music file, by its name; the best comes first.
    """

    state: int = 0
    by_name: Mapping[str, Sequence[SheetOfFile]] = field(default_factory=dict)


_NO_SHEETS = FolderSheets()


def is_sheet(name: bytes) -> bool:
    """Whether a file of this name is taken for a cue sheet."""
    return name[-4:].lower() == CUE_SUFFIX and not name.startswith(b".")


def sheet_entry(name: bytes, status: os.stat_result) -> ImageEntry | None:
    """What decides whether a cue sheet has changed; None where it is no regular file."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return ImageEntry(encode_path(name), status.st_size, status.st_mtime_ns)


sheets_state = images_state
"""A number of 31 bits that changes when the cue sheets of a folder do; 0 for none."""


def folder_sheets(root: str, folder: str) -> FolderSheets:
    """The cue sheets of a folder ('' is the root). One that cannot be read counts as absent."""
    path = local_path(root, folder)
    try:
        # Some file systems tell a folder's time to two seconds, or not at all.
        moment = os.stat(path).st_mtime_ns, time.monotonic() // 2  # noqa: PTH116 - names are bytes
        names = _names(path, moment)
    except OSError:
        return _NO_SHEETS
    return _read(path, names) if names else _NO_SHEETS


@lru_cache(maxsize=16)
def _names(folder: bytes, _moment: tuple[int, float]) -> tuple[bytes, ...]:
    """The names of the sheets and the music in a folder; none where there is no sheet.

    A folder of a hundred thousand files is not listed for each chunk of files.
    """
    names = os.listdir(folder)  # noqa: PTH208 - names are bytes
    if not any(map(is_sheet, names)):
        return ()
    return tuple(sorted(one for one in names if is_sheet(one) or is_audio(encode_path(one))))


def _read(folder: bytes, names: Sequence[bytes]) -> FolderSheets:
    entries = []
    for name in filter(is_sheet, names):
        try:
            status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - as above
        except OSError:
            continue
        if (entry := sheet_entry(name, status)) is not None:
            entries.append((name, entry))
    return _parsed(folder, tuple(names), tuple(entries)) if entries else _NO_SHEETS


@lru_cache(maxsize=4)
def _parsed(
    folder: bytes, names: Sequence[bytes], entries: Sequence[tuple[bytes, ImageEntry]]
) -> FolderSheets:
    music = [encode_path(name) for name in names if not is_sheet(name)]
    ranked: dict[str, list[tuple[int, str, SheetOfFile]]] = {}
    for name, entry in entries:
        sheet = _load(os.path.join(folder, name), music)  # noqa: PTH118 - names are bytes
        for audio, rank, file in _files_of(entry.name, sheet, music):
            found = SheetOfFile(entry.name, sheet, file)
            ranked.setdefault(audio, []).append((rank, entry.name, found))
    by_name = {
        audio: tuple(found for *_, found in sorted(sheets, key=lambda each: each[:2]))
        for audio, sheets in ranked.items()
    }
    return FolderSheets(sheets_state(entry for _, entry in entries), by_name)


def _load(path: bytes, music: Sequence[str]) -> CueSheet:
    # NONBLOCK: should it have become a FIFO meanwhile, opening it does not hang.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            content = file.read(LARGEST_SHEET_BYTES + 1)
    except OSError as error:
        return CueSheet(problem=f"cannot be read: {error.strerror}")
    if len(content) > LARGEST_SHEET_BYTES:
        return CueSheet(problem=f"has more than {LARGEST_SHEET_BYTES:,} bytes")
    return parse_sheet(decode_sheet(content, partial(_names_any, music)))


def _names_any(music: Sequence[str], text: str) -> bool:
    stems = {stem_of(name) for name in music}
    return any(stem_of(base_name(name)) in stems for name in parse_sheet(text).files)


def _files_of(name: str, sheet: CueSheet, music: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """The music files that a sheet is of, each with a rank (0 is best) and its place in the sheet.

    Sheets name the file that was ripped, which may have been encoded or renamed since.
    """
    own = stem_of(name)  # of `album.cue`, or of `album.flac.cue`
    found: dict[str, int] = {}
    for file, named in enumerate(map(base_name, sheet.files)):
        same = [one for one in music if _folded(one) == _folded(named)]
        for one in same or [one for one in music if stem_of(one) == stem_of(named)]:
            found.setdefault(one, file)
    if not found and len(sheet.files) <= 1:
        alike = [one for one in music if own in {stem_of(one), _folded(one)}]
        found = dict.fromkeys(alike or (music if len(music) == 1 else ()), 0)
    for one, file in found.items():
        is_exact = bool(sheet.files) and _folded(one) == _folded(base_name(sheet.files[file]))
        yield one, 2 * (own not in {stem_of(one), _folded(one)}) + (not is_exact), file


def base_name(named: str) -> str:
    """A name without folders, which are those of another computer."""
    return named.replace("\\", "/").rpartition("/")[2]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def stem_of(name: str) -> str:
    """A file's name without its ending, in the form in which names are compared."""
    return _folded(name.rpartition(".")[0] or name)
